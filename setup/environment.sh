# Sourced by the scripts here and by the Makefile's recipes: the tools, their versions and their settings.
# shellcheck shell=bash

. "$(dirname "${BASH_SOURCE[0]}")/report.sh"

CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/sluicegate"

# Cargo.toml pins wasm-bindgen and worker. Their command-line tools must have the same versions.
pinned() {
  sed -n "s/^$1 = .*\"=\([0-9.]*\)\".*/\1/p" "$ROOT/Cargo.toml"
}
WASM_BINDGEN_VERSION=$(pinned wasm-bindgen)
WORKER_BUILD_VERSION=$(pinned worker)
WASM_BINDGEN_ROOT="$CACHE/wasm-bindgen-cli-$WASM_BINDGEN_VERSION"
WORKER_BUILD_ROOT="$CACHE/worker-build-$WORKER_BUILD_VERSION"

# Tools that check what is released. They are no part of it.
CARGO_ABOUT_VERSION=0.9.3
CARGO_DENY_VERSION=0.20.2
CARGO_ABOUT_ROOT="$CACHE/cargo-about-$CARGO_ABOUT_VERSION"
CARGO_DENY_ROOT="$CACHE/cargo-deny-$CARGO_DENY_VERSION"
HADOLINT_VERSION=2.15.1
HADOLINT_ROOT="$CACHE/hadolint-$HADOLINT_VERSION"

# The oldest Redis that the tests run on: see redis-6.2.sh.
REDIS_6_2_VERSION=6.2.14
REDIS_6_2="$CACHE/redis-$REDIS_6_2_VERSION/redis-server"

export PATH="$ROOT/node_modules/.bin:$WASM_BINDGEN_ROOT/bin:$WORKER_BUILD_ROOT/bin:$PATH"
PATH="$CARGO_ABOUT_ROOT/bin:$CARGO_DENY_ROOT/bin:$HADOLINT_ROOT:$PATH"

# Without these, worker-build downloads tools of its own.
export WASM_BINDGEN_BIN="$WASM_BINDGEN_ROOT/bin/wasm-bindgen"
export WASM_OPT_BIN="$ROOT/node_modules/.bin/wasm-opt"
export ESBUILD_BIN="$ROOT/node_modules/.bin/esbuild"

# wasm-bindgen-test finds its browser with these.
export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER=wasm-bindgen-test-runner
export CHROMEDRIVER="${CHROMEDRIVER:-/usr/bin/chromedriver}"
export CHROMIUM="${CHROMIUM:-/usr/bin/chromium}"

export WRANGLER_SEND_METRICS=false
# The banner would look for updates, and package.json pins the version.
export WRANGLER_HIDE_BANNER=true

# The toolchain that builds for wasm32 if rustup's own cannot: see wasm.sh.
if [ -f "$CACHE/wasm-toolchain" ]; then
  WASM_TOOLCHAIN=$(cat "$CACHE/wasm-toolchain")
else
  WASM_TOOLCHAIN=
fi

# Prints cargo's folder for what it builds.
target_folder() {
  cargo metadata --format-version 1 --no-deps --offline | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p'
}

# without_paths COMMAND...: runs a cargo whose artifacts contain no path of this machine, so that two folders build the same
# bytes.
without_paths() {
  local cargo=${CARGO_HOME:-$HOME/.cargo} sysroot separator=$'\x1f' flags
  sysroot=$(rustc --print sysroot)
  flags="--remap-path-prefix=$cargo=cargo$separator--remap-path-prefix=$sysroot=rust$separator--remap-path-prefix=$ROOT=sluicegate"
  # The C code of aws-lc has the names of its files in it.
  CFLAGS="${CFLAGS:-} -ffile-prefix-map=$cargo=cargo -ffile-prefix-map=$ROOT=sluicegate" CARGO_ENCODED_RUSTFLAGS="$flags" "$@"
}

# Runs a command with a cargo that can build for wasm32.
for_wasm() {
  if [ -n "$WASM_TOOLCHAIN" ]; then
    PATH="$CACHE/linker:$PATH" RUSTUP_TOOLCHAIN="$WASM_TOOLCHAIN" "$@"
  else
    "$@"
  fi
}
