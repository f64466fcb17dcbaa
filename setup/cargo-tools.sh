#!/usr/bin/env bash
# Installs the pinned cargo tools into the user's cache, where all clones find them: setup/cargo-tools.sh build|release
set -euo pipefail
. "$(dirname "$0")/environment.sh"

# install CRATE VERSION FOLDER FLAG...
install() {
  local crate=$1 version=$2 root=$3 part
  shift 3
  # These tools run for seconds: a fast build matters more than fast code.
  export CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
  export CARGO_PROFILE_RELEASE_DEBUG=false
  part=$(mktemp -d "$CACHE/installing-XXXXXX")
  # Expanded now: when the trap runs, the function has returned and `part` is unset.
  # shellcheck disable=SC2064
  trap "rm -rf '$part'" EXIT
  CARGO_TARGET_DIR="$part/target" cargo install --locked --root "$part/root" "$crate" --version "$version" "$@"
  # If another clone was faster, its tool is used.
  mv -T "$part/root" "$root" 2> /dev/null || [ -d "$root" ]
}

mkdir -p "$CACHE"
cd "$ROOT"
case "${1:?usage: setup/cargo-tools.sh build|release}" in
  build)
    [ -x "$WASM_BINDGEN_ROOT/bin/wasm-bindgen" ] ||
      step 'install wasm-bindgen' install wasm-bindgen-cli "$WASM_BINDGEN_VERSION" "$WASM_BINDGEN_ROOT"
    [ -x "$WORKER_BUILD_ROOT/bin/worker-build" ] ||
      step 'install worker-build' install worker-build "$WORKER_BUILD_VERSION" "$WORKER_BUILD_ROOT" ;;
  release)
    [ -x "$CARGO_ABOUT_ROOT/bin/cargo-about" ] ||
      step 'install cargo-about' install cargo-about "$CARGO_ABOUT_VERSION" "$CARGO_ABOUT_ROOT" --features cli
    [ -x "$CARGO_DENY_ROOT/bin/cargo-deny" ] ||
      step 'install cargo-deny' install cargo-deny "$CARGO_DENY_VERSION" "$CARGO_DENY_ROOT" ;;
  *) die "setup/cargo-tools.sh: expected build or release, found $1" ;;
esac
