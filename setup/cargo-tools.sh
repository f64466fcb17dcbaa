#!/usr/bin/env bash
# Installs the pinned cargo tools into the user's cache, once a version: a second clone finds them there.
set -euo pipefail
. "$(dirname "$0")/environment.sh"

# These tools run for seconds: compiling them fast is worth more than compiling them well.
export CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
export CARGO_PROFILE_RELEASE_DEBUG=false
CARGO_TARGET_DIR=$(mktemp -d)
export CARGO_TARGET_DIR
trap 'rm -rf "$CARGO_TARGET_DIR"' EXIT

install() {
  local crate=$1 version=$2 root=$3 command=$4
  [ -x "$root/bin/$command" ] && return
  say "installing $crate $version (some minutes)"
  local part
  part=$(mktemp -d "$CACHE/installing-XXXXXX")
  cargo install --quiet --locked --root "$part" "$crate" --version "$version" 2> >(grep -v 'be sure to add' >&2)
  # Another clone may have been faster: either one is good.
  mv -T "$part" "$root" 2> /dev/null || rm -rf "$part"
}

mkdir -p "$CACHE"
cd "$ROOT"
install wasm-bindgen-cli "$WASM_BINDGEN_VERSION" "$WASM_BINDGEN_ROOT" wasm-bindgen
install worker-build "$WORKER_BUILD_VERSION" "$WORKER_BUILD_ROOT" worker-build
