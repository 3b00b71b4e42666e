#!/bin/sh
# Builds Beam's job server for Spark 3 into .cache/spark/beam-spark-job-server.jar and prints that path.
# Safe to run again: nothing is done while the jar is of the present sources. Needs JDK 11 or 17 and Maven;
# on Debian and Ubuntu, where they are missing and we may, they are installed.
set -eu
cd "$(dirname "$0")/../.."
project=deploy/spark/job-server
cache=$PWD/.cache/spark
jar=$cache/beam-spark-job-server.jar
built_from=$jar.sources-sha256
digest=$(find "$project" -type f | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -d' ' -f1)

install_tools() {
    command -v apt-get >/dev/null 2>&1 || { echo "build.sh: install JDK 17 and Maven, then run this again" >&2; exit 1; }
    sudo=
    if [ "$(id -u)" != 0 ]; then
        sudo="sudo -n"
        $sudo true 2>/dev/null || { echo "build.sh: as root: apt-get install openjdk-17-jdk-headless maven" >&2; exit 1; }
    fi
    $sudo apt-get update -qq >&2
    $sudo env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends openjdk-17-jdk-headless maven >/dev/null
}

mkdir -p "$cache"
# Two builds at a time would write the same repository and the same jar: the second waits and then finds it done.
exec 9>"$cache/build.lock"
flock 9
if [ ! -f "$jar" ] || [ "$(cat "$built_from" 2>/dev/null)" != "$digest" ]; then
    if ! command -v java >/dev/null 2>&1 || ! command -v mvn >/dev/null 2>&1; then
        install_tools
    fi
    rm -rf "$cache/target"
    mvn --batch-mode --quiet --file "$project/pom.xml" -Dmaven.repo.local="$cache/m2" -Dtarget="$cache/target" package >&2
    mv "$cache/target/beam-spark-job-server.jar" "$jar"
    rm -rf "$cache/target"
    echo "$digest" >"$built_from"
fi
echo "$jar"
