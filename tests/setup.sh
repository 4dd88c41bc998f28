#!/bin/sh
# What the tests need beyond `cargo test`: the release build of `rialto`, a build of the core without
# optimisation, strace, PostgreSQL, Apache Kafka, schemathesis, and the clients of clients/install.sh. Quick when all is
# there.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}

cd "$root"
# RIALTO_BIN names a binary that is built already.
if [ -z "${RIALTO_BIN:-}" ]; then
    # Together with the tests: alone, some of its libraries would have other features and be built twice,
    # SQLite and sqlx among them.
    cargo test --release --workspace --no-run
    echo "tests: the binary is $target/release/rialto"
fi

# Every overflow and assertion is checked in it; its states must be those of the release build.
cargo build --quiet --package engine-core --example state_hashes

if ! command -v strace >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "tests: installing strace"
    apt-get install -qq -y strace >/dev/null || { apt-get update -qq && apt-get install -qq -y strace >/dev/null; } || true
fi
if ! command -v strace >/dev/null; then
    echo "tests: there is no strace here; the test that nothing leaves before its sync needs it" >&2
    echo "tests: on Debian and Ubuntu: apt-get install strace" >&2
    exit 2
fi
# RIALTO_POSTGRES names the directory of its programs, where it is elsewhere.
if [ -z "${RIALTO_POSTGRES:-}" ] && ! ls -d /usr/lib/postgresql/*/bin >/dev/null 2>&1; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "tests: installing PostgreSQL"
        apt-get install -qq -y postgresql >/dev/null || { apt-get update -qq && apt-get install -qq -y postgresql >/dev/null; } || true
    fi
    if ! ls -d /usr/lib/postgresql/*/bin >/dev/null 2>&1; then
        echo "tests: there is no PostgreSQL here; the tests of the books of record need its server" >&2
        echo "tests: on Debian and Ubuntu: apt-get install postgresql" >&2
        exit 2
    fi
fi
# One set of the broker's classes for all tests, made anew when the list of them changes.
libraries=$root/target/kafka-libs
if ! cmp -s "$root/tests/kafka/pom.xml" "$libraries/pom.xml"; then
    if command -v java >/dev/null && command -v mvn >/dev/null; then
        echo "tests: installing Apache Kafka into $libraries"
        rm -rf "$libraries" "$libraries.part"
        mvn -B -q -f "$root/tests/kafka/pom.xml" dependency:copy-dependencies \
            -DincludeScope=runtime -DoutputDirectory="$libraries.part"
        cp "$root/tests/kafka/pom.xml" "$libraries.part/pom.xml"
        mv "$libraries.part" "$libraries"
    else
        echo "tests: there is no java or no mvn here; the tests with Kafka are skipped" >&2
        echo "tests: on Debian and Ubuntu: apt-get install default-jre-headless maven" >&2
    fi
fi
if ! command -v python3 >/dev/null; then
    echo "tests: there is no python3 here; the tests need Python 3.11 or newer with venv" >&2
    echo "tests: on Debian and Ubuntu: apt-get install python3 python3-venv" >&2
    exit 2
fi
# install VENV REQUIREMENTS WHAT: a virtual environment with what a file of requirements names.
install() {
    if cmp -s "$2" "$1/requirements.txt"; then
        return
    fi
    echo "tests: installing $3 into $1"
    rm -rf "$1"
    if ! python3 -m venv "$1"; then
        echo "tests: python3 cannot make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv" >&2
        exit 2
    fi
    "$1/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$2"
    # Last, so that an installation that broke off is done again.
    cp "$2" "$1/requirements.txt"
}
install "$root/target/openapi-venv" "$root/tests/openapi/requirements.txt" "schemathesis"
sh "$root/tests/clients/install.sh"
