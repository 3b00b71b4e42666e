#!/bin/sh
# Builds Beam's job server for Spark 3 into .cache/spark/beam-spark-job-server.jar and prints that path.
# Safe to run again: nothing is done while the jar is of the present sources. Needs Java 17 and Maven, which are
# installed where they are missing, apt-get is there and we may; exits with 3 where that cannot be.
set -eu
cd "$(dirname "$0")/../.."
project=deploy/spark/job-server
cache=$PWD/.cache/spark
jar=$cache/beam-spark-job-server.jar
built_from=$jar.sources-sha256
digest=$(find "$project" -type f | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -d' ' -f1)

# Installs what of `command=package` is missing.
need() {
    missing=
    for tool in "$@"; do
        command -v "${tool%%=*}" >/dev/null 2>&1 || missing="$missing ${tool#*=}"
    done
    [ -n "$missing" ] || return 0
    sudo=
    [ "$(id -u)" = 0 ] || sudo="sudo -n"
    if ! command -v apt-get >/dev/null 2>&1 || ! $sudo true 2>/dev/null; then
        echo "build.sh: Java 17 and Maven are needed; missing here:$missing" >&2
        exit 3
    fi
    $sudo apt-get update -qq >&2
    # shellcheck disable=SC2086 # several packages
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

mkdir -p "$cache"
# Two builds at a time would write the same repository and the same jar: the second waits and then finds it done.
exec 9>"$cache/build.lock"
flock 9
need java=openjdk-17-jre-headless
if [ ! -f "$jar" ] || [ "$(cat "$built_from" 2>/dev/null)" != "$digest" ]; then
    need javac=openjdk-17-jdk-headless mvn=maven
    rm -rf "$cache/target"
    log=$cache/build.log
    if ! mvn --batch-mode --quiet --file "$project/pom.xml" -Dmaven.repo.local="$cache/m2" -Dtarget="$cache/target" \
        package >"$log" 2>&1; then
        cat "$log" >&2
        if grep -q "Could not transfer artifact" "$log"; then
            echo "build.sh: Maven Central cannot be reached; see $log" >&2
            exit 4
        fi
        exit 1
    fi
    mv "$cache/target/beam-spark-job-server.jar" "$jar"
    rm -rf "$cache/target"
    echo "$digest" >"$built_from"
fi
echo "$jar"
