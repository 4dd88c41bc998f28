# What there is to do here. `make` alone lists it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
# What each room reaches within the house, as ARCHITECTURE.md has it; rialto, bench and tests may reach any.
ROOMS := protocol: database: engine-journal: engine-core:protocol services:protocol \
    engine-runtime:engine-core,engine-journal,protocol,services accounts:database,protocol \
    gateway:accounts,protocol,services replay:engine-core,engine-journal,protocol \
    simulation:engine-core,engine-journal,engine-runtime,protocol,services \
    backup:database,engine-journal,protocol,replay stream:engine-journal,protocol,services \
    settlement:database,protocol,services,stream remote:protocol,services

.PHONY: help run test check bench simulate miri

help: ## list what there is to do
	@sed -n 's/^\([a-z]*\): ## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

run: ## build and open a demo exchange on http://127.0.0.1:8080, data in ./data (Ctrl-C stops it)
	@cargo build --release -p rialto
	echo
	echo "REST and WebSocket: http://127.0.0.1:8080   administration: http://127.0.0.1:8081   keys: data/demo-keys.json"
	echo "An order, from another terminal in this directory (README.md has the same with ccxt):"
	echo
	sed -n '/^KEY=/,/^curl/s/^/    /p' README.md
	echo
	exec "$${CARGO_TARGET_DIR:-target}/release/rialto" serve --demo --demo-market

test: ## set up all that the tests need, and run every test
	@bash tests/setup.sh
	mkdir -p target
	status=0
	cargo test --release --workspace --no-fail-fast | tee target/test.log || status=$$?
	awk '/^test result:/ { passed += $$4; failed += $$6; skipped += $$8 }
	    END { printf "\n%d passed, %d failed, %d skipped\n", passed, failed, skipped }' target/test.log
	exit $$status

check: ## what CI runs before the tests: format, rooms, lints, documentation, libraries
	@echo "format"
	cargo fmt --all --check
	echo "rooms"
	for room in $(ROOMS); do
	    reached=$$(cargo tree --locked --package "$${room%%:*}" --edges normal --depth 1 --prefix none |
	        sed -n '1!s/^\([a-z-]*\) v[^ ]* (\/.*/\1/p' | sort | paste -sd,)
	    if [ "$${room#*:}" != "$$reached" ]; then
	        echo "$${room%%:*} reaches '$$reached', not '$${room#*:}': see What never depends on what, ARCHITECTURE.md" >&2
	        exit 1
	    fi
	done
	echo "lints"
	cargo clippy --locked --release --workspace --all-targets -- -D warnings
	echo "documentation"
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --release --workspace --no-deps
	if command -v cargo-deny > /dev/null; then
	    echo "libraries"
	    cargo deny --locked check licenses bans sources
	else
	    echo "libraries: not checked, cargo-deny is not installed"
	fi

bench: ## measure beside exchange-core and a bare server, and print the tables of ratios
	@cargo run --release -p bench --bin compare
	cargo build --release -p rialto
	cargo run --release -p bench --bin doors

simulate: ## run a million seeds of the simulation (SEEDS=1000 FROM=1 for others)
	@cargo run --release -p simulation -- --seeds $${SEEDS:-1000000} --from $${FROM:-1}

miri: ## run the ring under Miri (needs a nightly toolchain with miri)
	@MIRIFLAGS=-Zmiri-disable-isolation cargo +nightly miri test -p engine-runtime --test ring --test wait
