#!/bin/sh
# What the tests need beyond `cargo test`: the release build of `rialto`, strace, and a Python of their
# own with the pinned clients of clients/requirements.txt. Quick when all is there.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
venv=$root/target/test-venv
requirements=$root/tests/clients/requirements.txt

cd "$root"
# RIALTO_BIN names a binary that is built already.
if [ -z "${RIALTO_BIN:-}" ]; then
    # Together with the tests: alone, some of its libraries would have other features and be built twice,
    # SQLite and sqlx among them.
    cargo test --release --workspace --no-run
    echo "tests: the binary is $target/release/rialto"
fi

if ! command -v strace >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "tests: installing strace"
    apt-get install -qq -y strace >/dev/null || { apt-get update -qq && apt-get install -qq -y strace >/dev/null; } || true
fi
if ! command -v strace >/dev/null; then
    echo "tests: there is no strace here; the test that nothing leaves before its sync needs it" >&2
    echo "tests: on Debian and Ubuntu: apt-get install strace" >&2
    exit 2
fi
if ! command -v python3 >/dev/null; then
    echo "tests: there is no python3 here; the client tests need Python 3.10 or newer with venv" >&2
    echo "tests: on Debian and Ubuntu: apt-get install python3 python3-venv" >&2
    exit 2
fi
if cmp -s "$requirements" "$venv/requirements.txt"; then
    exit 0
fi
echo "tests: installing the clients into $venv"
rm -rf "$venv"
if ! python3 -m venv "$venv"; then
    echo "tests: python3 cannot make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv" >&2
    exit 2
fi
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$requirements"
# Last, so that an installation that broke off is done again.
cp "$requirements" "$venv/requirements.txt"
