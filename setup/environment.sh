# Sourced by the scripts here and by the Makefile's recipes: where the tools are, in which versions.
# shellcheck shell=bash

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/sluicegate"

# Cargo.toml pins wasm-bindgen and worker; the command-line tools must be of the same versions.
pinned() {
  sed -n "s/^$1 = .*\"=\([0-9.]*\)\".*/\1/p" "$ROOT/Cargo.toml"
}
WASM_BINDGEN_VERSION=$(pinned wasm-bindgen)
WORKER_BUILD_VERSION=$(pinned worker)
WASM_BINDGEN_ROOT="$CACHE/wasm-bindgen-cli-$WASM_BINDGEN_VERSION"
WORKER_BUILD_ROOT="$CACHE/worker-build-$WORKER_BUILD_VERSION"

# The oldest Redis that the tests run on: see redis-6.2.sh.
REDIS_6_2_VERSION=6.2.14
REDIS_6_2="$CACHE/redis-$REDIS_6_2_VERSION/redis-server"

export PATH="$ROOT/node_modules/.bin:$WASM_BINDGEN_ROOT/bin:$WORKER_BUILD_ROOT/bin:$PATH"

# worker-build downloads its own tools unless it is told where they are.
export WASM_BINDGEN_BIN="$WASM_BINDGEN_ROOT/bin/wasm-bindgen"
export WASM_OPT_BIN="$ROOT/node_modules/.bin/wasm-opt"
export ESBUILD_BIN="$ROOT/node_modules/.bin/esbuild"

# wasm-bindgen-test finds its browser by these.
export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER=wasm-bindgen-test-runner
export CHROMEDRIVER="${CHROMEDRIVER:-/usr/bin/chromedriver}"
export CHROMIUM="${CHROMIUM:-/usr/bin/chromium}"

export WRANGLER_SEND_METRICS=false

# Which toolchain builds for wasm32 when rustup's own cannot: see wasm.sh.
if [ -f "$CACHE/wasm-toolchain" ]; then
  WASM_TOOLCHAIN=$(cat "$CACHE/wasm-toolchain")
else
  WASM_TOOLCHAIN=
fi

# Runs a command whose cargo must be able to build for wasm32.
for_wasm() {
  if [ -n "$WASM_TOOLCHAIN" ]; then
    PATH="$CACHE/linker:$PATH" RUSTUP_TOOLCHAIN="$WASM_TOOLCHAIN" "$@"
  else
    "$@"
  fi
}

say() {
  printf 'setup: %s\n' "$*" >&2
}

die() {
  say "$*"
  exit 1
}
