#!/bin/sh
# Installs the clients that the tests run, unmodified, each by its own package manager, at the versions that
# packages/ holds, into target/clients/. One that cannot be had here, for want of an interpreter or of a
# package index, is told plainly, with the reason in target/clients/NAME.missing: its tests are then counted
# as skipped. Quick when all is there.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
clients=$(cd "$here/../.." && pwd)/target/clients
mkdir -p "$clients"
# hummingbot is compiled here: sooner done than fast.
export WITHOUT_CYTHON_OPTIMIZATIONS=1

# missing NAME REASON
missing() {
    echo "tests: no $1 here, its tests are skipped: $2" >&2
    echo "$2" > "$clients/$1.missing"
}

# python_of MAJOR.MINOR: an interpreter of that version, or else the oldest one that is newer.
python_of() {
    for python in "python$1" "$HOME/.pyenv/versions/$1".*/bin/python python3 python3.12 python3.13 python3.14 \
        "$HOME"/.pyenv/versions/3.*/bin/python; do
        if "$python" -c "import sys, venv; sys.exit(sys.version_info[:2] < (3, ${1#3.}))" 2> /dev/null; then
            echo "$python"
            return
        fi
    done
}

# python_client NAME: a virtual environment with what packages/NAME.txt names.
python_client() {
    requirements=$here/packages/$1.txt
    venv=$clients/$1
    if cmp -s "$requirements" "$venv/installed.txt" && "$venv/bin/python" -c '' 2> /dev/null; then
        return
    fi
    rm -rf "$venv" "$clients/$1.missing"
    version=$(sed -n 's/^# python //p' "$requirements")
    python=$(python_of "$version")
    if [ -z "$python" ]; then
        missing "$1" "it needs Python $version or newer, with venv"
        return
    fi
    echo "tests: installing $1 into $venv"
    # `# pip …` lines of the file are flags for it alone.
    flags=$(sed -n 's/^# pip //p' "$requirements")
    # shellcheck disable=SC2086
    if ! "$python" -m venv "$venv" ||
        ! "$venv/bin/python" -m pip install --quiet --disable-pip-version-check $flags --requirement "$requirements"; then
        missing "$1" "pip could not install packages/$1.txt; above is why"
        return
    fi
    # Last, so that an installation that broke off is done again.
    cp "$requirements" "$venv/installed.txt"
}

# ccxt for JavaScript, by npm and its lock file.
javascript_client() {
    modules=$clients/ccxt-javascript
    if cmp -s "$here/packages/package-lock.json" "$modules/installed.json"; then
        return
    fi
    rm -rf "$modules" "$clients/ccxt-javascript.missing"
    if ! command -v node > /dev/null || ! command -v npm > /dev/null; then
        missing ccxt-javascript "it needs Node 20 or newer, with npm"
        return
    fi
    echo "tests: installing ccxt-javascript into $modules"
    mkdir -p "$modules"
    cp "$here/packages/package.json" "$here/packages/package-lock.json" "$modules/"
    if ! (cd "$modules" && npm ci --silent --ignore-scripts --no-audit --no-fund); then
        missing ccxt-javascript "npm could not install packages/package-lock.json; above is why"
        return
    fi
    cp "$here/packages/package-lock.json" "$modules/installed.json"
}

for name in ccxt python-binance binance-connector binance-sdk-spot nautilus-trader freqtrade hummingbot; do
    python_client "$name"
done
javascript_client
