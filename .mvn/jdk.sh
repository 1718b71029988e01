# Finds a JDK of at least the version below and exports JAVA_HOME. Sourced by mvnw and penstock (POSIX sh).
# A current java that is new enough is kept; otherwise JDKs are told apart by their `release` file, newest first.

penstock_jdk_min=25

penstock_jdk_major() {
  # DIR -> major version from DIR/release, or nothing
  [ -x "$1/bin/javac" ] && [ -r "$1/release" ] || return 0
  sed -n 's/^JAVA_VERSION="\{0,1\}\([0-9][0-9]*\).*/\1/p' "$1/release"
}

penstock_jdk_find() {
  best=
  best_major=0
  current=$(command -v javac 2>/dev/null || true)
  if [ -n "$current" ]; then
    while [ -L "$current" ]; do
      link=$(readlink "$current")
      case $link in /*) current=$link ;; *) current=$(dirname "$current")/$link ;; esac
    done
    current=$(dirname "$(dirname "$current")")
  fi
  for jdk in "${JAVA_HOME:-}" "$current"; do
    [ -n "$jdk" ] || continue
    major=$(penstock_jdk_major "$jdk")
    if [ "${major:-0}" -ge "$penstock_jdk_min" ]; then
      printf '%s\n' "$jdk"
      return 0
    fi
  done
  for jdk in /usr/lib/jvm/* /opt/java/* "${HOME:-/nonexistent}"/.sdkman/candidates/java/* "${HOME:-/nonexistent}"/.jdks/* \
    /Library/Java/JavaVirtualMachines/*/Contents/Home; do
    major=$(penstock_jdk_major "$jdk")
    if [ "${major:-0}" -ge "$penstock_jdk_min" ] && [ "${major:-0}" -gt "$best_major" ]; then
      best=$jdk
      best_major=$major
    fi
  done
  [ -n "$best" ] && printf '%s\n' "$best"
}

if penstock_jdk=$(penstock_jdk_find); then
  JAVA_HOME=$penstock_jdk
  export JAVA_HOME
else
  echo "Penstock needs a JDK $penstock_jdk_min or newer, and none was found: install one (for example Temurin $penstock_jdk_min) or set JAVA_HOME to it." >&2
  exit 1
fi
