# Every command of a developer; `make` alone lists them. Each can be run again at any time.
.DEFAULT_GOAL := help
.PHONY: help demo test soak lint bench fuzz docs wheels packages

DEMO_WORKERS ?= 4
DEMO_KILL ?= 1
SOAK_SECONDS ?= 600

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## count the words of DEMO_PATH=folder (by default this project's own texts) with 4 workers, one of which is killed
	@$(cargo)
	cargo build --locked --release -p tenure-cli
	@corpus="$(DEMO_PATH)"; \
	if [ -z "$$corpus" ]; then \
		corpus=$$(mktemp -d) && trap 'rm -rf "$$corpus"' EXIT && \
		for file in $$(find *.md docs core/src host/src cli/src -name '*.md' -o -name '*.rs'); do \
			cp "$$file" "$$corpus/$$(echo "$$file" | tr / -)" || exit 1; \
		done; \
	elif [ ! -d "$$corpus" ]; then \
		echo "DEMO_PATH=$$corpus is not a folder: give a folder of text files" >&2; exit 2; \
	fi; \
	"$${CARGO_TARGET_DIR:-target}/release/tenure" demo wordcount "$$corpus" --workers $(DEMO_WORKERS) --kill $(DEMO_KILL)

test: ## all tests, the core without std, the examples, the Python and the Node package
	@.ci/test

soak: ## a served store under kills for SOAK_SECONDS=600, SOAK_ARGS="--seed …"; and an idle waiter over a minute
	@$(cargo)
	@.ci/soak --seconds $(SOAK_SECONDS) $(SOAK_ARGS)
	TENURE_IDLE_SECONDS=60 cargo test --locked --release -p tenure --test waits -- --nocapture

lint: ## format, clippy, rustdoc, other platforms, Python, JavaScript
	@.ci/lint

bench: ## the benchmarks, as tables and as JSON (bench/results.json); BENCH_ARGS="…" goes to the library's, PYTHON_BENCH_ARGS, NODE_BENCH_ARGS and BROWSER_BENCH_ARGS to the packages'
	@$(cargo)
	@test -e bench/Cargo.toml || { echo "there is no bench/Cargo.toml: this checkout has no benchmarks" >&2; exit 2; }
	cargo build --locked --release -p tenure-cli
	@status=0; \
	(cd bench && cargo run --locked --release -- $(BENCH_ARGS)) || status=1; \
	.ci/bench-python $(PYTHON_BENCH_ARGS) || status=1; \
	.ci/bench-node $(NODE_BENCH_ARGS) || status=1; \
	.ci/bench-browser $(BROWSER_BENCH_ARGS) || status=1; \
	exit $$status

fuzz: ## each fuzz target for FUZZ_SECONDS=60; FUZZ_TARGET=name picks one
	@.ci/fuzz

wheels: ## the Python wheel, in target/wheels; installed and run where there is no Rust
	@.ci/wheels

packages: ## the Node packages, in target/packages; installed and run where there is no Rust
	@.ci/packages

docs: ## the API documentation, in target/doc
	@$(cargo)
	cargo doc --locked --workspace --lib --no-deps --all-features
	@echo "open $${CARGO_TARGET_DIR:-target}/doc/tenure/index.html"

cargo = command -v cargo >/dev/null || { echo "cargo is missing: install Rust with rustup (https://rustup.rs), then run this again" >&2; exit 2; }
