# Every target does its own setup, once. `make help` lists the targets.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

export PORT ?= 8787
export REST_PORT ?= 8079
export ORIGIN_PORT ?= 9000
CONFIG ?=
ENV ?=

environment := . setup/environment.sh
env := $(if $(ENV),--env "$(ENV)")

# The tests that use one real Redis directly. They run on each supported version. (Those of a cluster need 7.0.)
script_tests := agreement authenticator cas check_lua docs expiry history lock operations promises scripts

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 24

.PHONY: dev
dev: build redis ## run everything on this machine: Redis, bridge, origin, Worker
	@$(environment)
	step 'build devstack' cargo build --locked -p sluicegate-devstack
	exec cargo run --quiet --locked -p sluicegate-devstack

.PHONY: test
test: build package redis redis-6.2 chromium schemathesis observability systemd ## run all tests
	@$(environment)
	. setup/temporary.sh
	step 'build the tests' cargo test --locked --workspace --no-run
	cargo test --locked --workspace
	if [ -x "$$REDIS_6_2" ]; then
		# With --workspace, the dependencies have the features of the first run, and are not built again.
		SLUICEGATE_REDIS_SERVER="$$REDIS_6_2" cargo test --locked --workspace $(addprefix --test ,$(script_tests))
	fi
	core_in_wasm='cargo test --locked -p sluicegate -p sluicegate-www --target wasm32-unknown-unknown --test vectors --test wasm'
	step 'build the tests for wasm32' for_wasm $$core_in_wasm --no-run
	for_wasm $$core_in_wasm
	# chromedriver leaves the profiles of its browsers.
	WASM_BINDGEN_USE_BROWSER=1 with_own_folder for_wasm $$core_in_wasm
	export SLUICEGATE_CLI="$$(target_folder)/debug/sluicegate"
	node --test 'www/tests/*.test.mjs' 'npm/tests/*.test.mjs' 'tests/*.test.mjs'
	check_nothing_left

.PHONY: test-properties
test-properties: redis ## run the property tests for longer: CASES=100000
	@export CASES="$(or $(CASES),10000)"
	cargo test --locked -p sluicegate --test memory_limiter $(addprefix --test ,$(script_tests))

.PHONY: load
load: redis ## run a million checks from 64 connections, with flushes and crashes: CHECKS=1000000
	@export CHECKS="$(or $(CHECKS),1000000)"
	cargo test --locked --release -p sluicegate --test load -- --nocapture --test-threads=1 steady::every_reply crash::

.PHONY: fuzz
fuzz: c++ ## fuzz everything that strangers and servers send: RUNS=2000000 [TARGET=routes]
	@RUNS='$(RUNS)' TARGET='$(TARGET)' fuzz/run.sh

.PHONY: lint
lint: wasm node_modules/.stamp ## check formatting, clippy for both targets, and the Dockerfile
	@$(environment)
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	for_wasm cargo clippy --locked -p sluicegate-npm -p sluicegate-cli --lib --target wasm32-unknown-unknown -- -D warnings
	for_wasm cargo clippy --locked -p sluicegate -p sluicegate-www --features sluicegate/edge --lib --test vectors --test wasm --target wasm32-unknown-unknown -- -D warnings
	setup/hadolint.sh bridge/Dockerfile

.PHONY: build
build: node_modules/.stamp wasm cargo-tools ## build the Worker, the demo page and the console
	@setup/build.sh development

.PHONY: library
library: node_modules/.stamp wasm cargo-tools ## build the wasm of the npm package
	@setup/library.sh

.PHONY: bench
bench: build redis ## compare the Worker with others: BENCH_SCENARIOS=a,b (default: all)
	@$(environment)
	step 'build the benchmark' cargo build --locked --release -p sluicegate-bench
	cargo run --quiet --locked --release -p sluicegate-bench

.PHONY: bench-lua
bench-lua: redis ## compare the scripts with the classic ones, inside Redis
	@$(environment)
	step 'build the benchmark' cargo build --locked --release -p sluicegate-bench
	cargo run --quiet --locked --release -p sluicegate-bench --bin bench-lua

.PHONY: bench-routes
bench-routes: build ## print what a table of 2,000 routes costs
	@$(environment)
	step 'build the benchmark' cargo build --locked --release -p sluicegate-bench --bin bench-routes
	cargo run --quiet --locked --release -p sluicegate-bench --bin bench-routes

.PHONY: profile
profile: node_modules/.stamp wasm cargo-tools redis ## print the Worker's CPU time by function: PROFILE_SCENARIO=a PROFILE_SECONDS=5
	@$(environment)
	step 'build the Worker with names' setup/named-worker.sh
	step 'build the profiler' cargo build --locked --release -p sluicegate-bench --bin profile
	cargo run --quiet --locked --release -p sluicegate-bench --bin profile -- --worker build/named

.PHONY: soak
soak: build redis ## mixed traffic with faults; fails if a status is unexplained or memory grows: MINUTES=30
	@$(environment)
	step 'build the soak test' cargo build --locked -p sluicegate-bench --bin soak
	exec cargo run --quiet --locked -p sluicegate-bench --bin soak

.PHONY: validate
validate: ## check a wrangler configuration: CONFIG=wrangler.production.toml [ENV=staging]
	@$(environment)
	step 'build the command line' cargo build --locked -p sluicegate-cli
	cargo run --quiet --locked -p sluicegate-cli -- validate "$(or $(CONFIG),wrangler.toml)" $(env)

.PHONY: cli
cli: ## install the command line tool sluicegate into ~/.cargo/bin
	@cargo install --locked --path cli

.PHONY: package
package: node_modules/.stamp wasm cargo-tools ## build the npm package into dist/: it deploys without Rust
	@setup/package.sh

.PHONY: binaries
binaries: node_modules/.stamp ## build the programs for this platform into dist/, with checksums
	@setup/binaries.sh

.PHONY: licenses
licenses: node_modules/.stamp release-tools ## write THIRD-PARTY-LICENSES, after a change of dependencies
	@$(environment)
	step 'collect the licenses' node setup/release/licenses.mjs

.PHONY: release-check
release-check: node_modules/.stamp wasm cargo-tools release-tools redis systemd ## check whether this commit can be released
	@$(environment)
	node setup/release/check.mjs

.PHONY: deploy
deploy: node_modules/.stamp wasm cargo-tools ## deploy with wrangler: CONFIG=wrangler.production.toml [ENV=staging] [ARGS=--dry-run]
	@$(environment)
	config="$(or $(CONFIG),wrangler.production.toml)"
	[ -f "$$config" ] || die "$$config does not exist (copy wrangler.production.example.toml and edit it)"
	step 'build the command line' cargo build --locked -p sluicegate-cli
	# An empty name is the top level, here and for wrangler.
	export SLUICEGATE_BUNDLE=build/configuration.js
	mkdir -p build
	cargo run --quiet --locked -p sluicegate-cli -- validate "$$config" --env '$(ENV)' --bundle "$$SLUICEGATE_BUNDLE"
	wrangler deploy --config "$$config" $(env) $(ARGS)

.PHONY: setup
setup: node_modules/.stamp wasm cargo-tools redis redis-6.2 chromium schemathesis observability systemd ## do the setup only

.PHONY: clean
clean: ## remove everything built here (tools in the user's cache stay)
	rm -rf target build dist node_modules artifacts .wrangler npm/dist

# Setup. Each step checks whether its work is done, so a second run is fast and needs no network.

node_modules/.stamp: package.json package-lock.json
	@# Not environment.sh: npm must not run on the Node that it replaces.
	. setup/report.sh
	node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' && command -v npm > /dev/null ||
		die "please install Node.js 20 or newer, with npm"
	# npm would leave its compile cache in the temporary folder.
	step 'install the JavaScript tools' env NODE_DISABLE_COMPILE_CACHE=1 npm ci --no-fund --no-audit --loglevel=error
	touch $@

.PHONY: wasm cargo-tools redis redis-6.2 chromium schemathesis observability c++ release-tools systemd
wasm:
	@setup/wasm.sh

cargo-tools:
	@setup/cargo-tools.sh build

release-tools:
	@setup/cargo-tools.sh release

redis:
	@setup/system.sh redis-server=redis-server redis-cli=redis-tools

redis-6.2:
	@setup/redis-6.2.sh

c++:
	@setup/system.sh c++=g++

# systemd-analyze checks the unit of the bridge. Elsewhere than on Linux, its tests do not exist.
systemd:
	@[ "$$(uname -s)" != Linux ] || setup/system.sh systemd-analyze=systemd

chromium:
	@setup/system.sh chromium=chromium chromedriver=chromium-driver

schemathesis:
	@setup/schemathesis.sh > /dev/null

observability:
	@setup/observability.sh > /dev/null
	setup/prometheus.sh > /dev/null
