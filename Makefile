# Everything works from a fresh clone: `make test` and `make demo` install what is missing, compile RocksDB once into a
# cache, build and run. Both use cargo's dev profile, so whatever one has built serves the other.

SHELL := /bin/bash
.DEFAULT_GOAL := help
# Where rustup puts cargo, for the shell in which it was just installed.
export PATH := $(PATH):$(HOME)/.cargo/bin

# A picture for `make demo`. It reaches the shell as a variable and unexpanded, so any file name will do.
IMAGE =
override IMAGE := $(value IMAGE)
export IMAGE

# Without a prepared library cargo compiles RocksDB itself: slower, not different.
with_rocksdb = \
	if [ -z "$${ROCKSDB_LIB_DIR:-}" ] && dir=$$(scripts/build-rocksdb | tail -n 1) && [ -n "$$dir" ]; then \
		export ROCKSDB_LIB_DIR="$$dir" ROCKSDB_STATIC=1; \
	fi;

.PHONY: help setup build test demo lint sanitize fuzz release bench-peers bench-hash clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /\1\t/' | while IFS=$$'\t' read -r name text; do \
		printf '  make %-12s %s\n' "$$name" "$$text"; done

setup: ## Install the system packages a build needs (g++, make, libclang)
	@command -v cargo >/dev/null || { echo "Rust is missing. Install it from https://rustup.rs, then run make again." >&2; exit 1; }
	@scripts/setup

build: setup ## Build the program
	@$(with_rocksdb) cargo build --locked

test: setup ## Build and run all tests
	@$(with_rocksdb) cargo test --locked

demo: setup ## Build and run the demonstration; with your own picture: make demo IMAGE=photo.jpg
	@$(with_rocksdb) cargo run --locked --quiet -- demo $${IMAGE:+--image "$$IMAGE"}

lint: setup ## Check formatting and run clippy, warnings being errors
	@cargo fmt --check && cargo fmt --check --manifest-path fuzz/Cargo.toml
	@$(with_rocksdb) cargo clippy --locked --all-targets -- -D warnings

sanitize: setup ## Run the tests of the index and of PDQ, where the unsafe code is, under AddressSanitizer
	@$(with_rocksdb) RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address cargo test --locked --lib --target-dir target/sanitize \
		--target "$$(rustc -vV | sed -n 's/^host: //p')" -- index:: media::pdq::

fuzz: setup ## Fuzz the decoders and PDQ: make fuzz FUZZ_SECONDS=600
	@scripts/fuzz

release: setup ## Build the optimized program: target/release/hashcommons
	@$(with_rocksdb) cargo build --locked --release

bench-peers: release ## Measure the index beside FAISS's (needs Python 3): make bench-peers N=10000000 KINDS=uniform
	@scripts/bench-peers

bench-hash: release ## Measure decoding and hashing beside Meta's PDQ (needs Python 3): make bench-hash IMAGES='photo.jpg other.png'
	@scripts/bench-hash

clean: ## Remove what cargo has built; RocksDB stays in the cache
	@cargo clean
