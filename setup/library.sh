#!/usr/bin/env bash
# Builds the wasm of the npm package into npm/dist: gate, the limiter as a library, and tools, the commands that work offline.
set -euo pipefail
. "$(dirname "$0")/environment.sh"
. "$(dirname "$0")/worker.sh"
cd "$ROOT"

sources=(src lua cli npm/src npm/Cargo.toml validate setup Cargo.toml Cargo.lock package-lock.json rust-toolchain.toml)
if [ -f npm/dist/.built ] && [ -z "$(find "${sources[@]}" -newer npm/dist/.built -print -quit)" ]; then
  exit 0
fi
rm -rf npm/dist
mkdir -p npm/dist
touch npm/dist/.building

# For size, as the Worker.
export CARGO_PROFILE_RELEASE_OPT_LEVEL=s
step 'build the library' build_module sluicegate-npm npm/dist gate --no-default-features --features gate
step 'build the offline commands' build_module sluicegate-npm npm/dist tools --no-default-features --features tools

bytes=$(cat npm/dist/gate.js npm/dist/gate_bg.wasm | gzip -9 | wc -c)
# 5 % more than it was when the limit was set.
[ "$bytes" -le 316000 ] || die "the library is too large: $bytes bytes gzipped (the limit is 316000)"
printf 'library %7d bytes gzipped (npm/dist)\n' "$bytes"
mv npm/dist/.building npm/dist/.built
