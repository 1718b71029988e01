# syntax=docker/dockerfile:1
FROM eclipse-temurin:25-jdk AS build
WORKDIR /src
COPY .mvn .mvn
COPY mvnw pom.xml ./
# Dependencies first, so that a change of sources does not fetch them again.
RUN ./mvnw -B -ntp -q dependency:go-offline || true
COPY src src
RUN ./mvnw -B -ntp -q package -DskipTests -Dspotless.check.skip=true

FROM eclipse-temurin:25-jdk
RUN useradd --system --uid 10001 --create-home --home-dir /home/penstock penstock \
    && mkdir -p /var/lib/penstock && chown penstock /var/lib/penstock
WORKDIR /opt/penstock
COPY --from=build /src/target/quarkus-app target/quarkus-app
COPY .mvn/jdk.sh .mvn/jdk.sh
COPY penstock LICENSE NOTICE ./
# The JVM's AOT cache, for fast starts.
RUN PENSTOCK_HOME=/tmp/warm-up ./penstock warm-up && rm -rf /tmp/warm-up
USER 10001
# Built variants of models are kept here: mount a volume, or they are built again by each container.
ENV PENSTOCK_HOME=/var/lib/penstock
VOLUME /var/lib/penstock
EXPOSE 8080
# The launcher execs java, so SIGTERM reaches it.
ENTRYPOINT ["/opt/penstock/penstock"]
CMD ["serve", "--host", "0.0.0.0"]
