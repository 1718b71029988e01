@echo off
echo Penstock builds under WSL or in the container image: run ./mvnw there. 1>&2
exit /b 1
