# The two commands of the README, and what .ci/run adds to them. Everything is
# built in release mode, so that llama.cpp is compiled once.

EXPERIMENT ?= experiments/temperature.toml
CARGO ?= cargo

.PHONY: slurm-test shimmy-test llama-cpp-python-test bench demo check test lint docs forge-test build-tools test-tools

## Build, run the demonstration experiment, say where its plot is.
demo: build-tools
	$(CARGO) run --release --quiet -- run $(EXPERIMENT)

## Has the score of results/NAME become worse than results/baselines/NAME.json?
NAME ?= temperature
check: build-tools
	$(CARGO) run --release --quiet -- check results/$(NAME) --baseline results/baselines/$(NAME).json

## Build and run the tests.
test: test-tools
	$(CARGO) test --release

## Compare the ways of decoding (docs/performance.md); a quarter of an hour on idle cores.
## BENCH=--quick for a look.
bench: build-tools
	CARGO=$(CARGO) python3 scripts/bench.py $(BENCH)

## The finding against the released server, and trial by trial against the chain
## run here; not among the quick tests, for it builds the server (docs/servers.md).
shimmy-test: build-tools
	CARGO=$(CARGO) scripts/server-test shimmy

## The same against llama-cpp-python's server, from PyPI.
llama-cpp-python-test: build-tools
	CARGO=$(CARGO) scripts/server-test llama-cpp-python

## A real Slurm on this machine: an array of four shards, one killed and requeued,
## merged and compared with the single run byte for byte (docs/cluster.md). As root, on Debian.
slurm-test: build-tools
	$(CARGO) build --release
	scripts/slurm-test

lint: build-tools
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release --workspace --all-targets -- -D warnings

docs: build-tools
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --release --no-deps --workspace --document-private-items

## The tests of forge, which trains the bundled models. With the whole
## workspace selected, or cargo would choose other features and build llama.cpp again.
forge-test: test-tools
	$(CARGO) test --release --workspace --lib --test parity --test determinism

build-tools:
	@scripts/install-build-tools

test-tools:
	@scripts/install-build-tools browser
