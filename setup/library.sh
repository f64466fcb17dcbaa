#!/usr/bin/env bash
# Builds the wasm of the npm package into npm/dist: tools, the commands that work offline.
set -euo pipefail
. "$(dirname "$0")/environment.sh"
. "$(dirname "$0")/worker.sh"
cd "$ROOT"

sources=(src lua npm/src npm/Cargo.toml validate setup Cargo.toml Cargo.lock package-lock.json rust-toolchain.toml)
if [ -f npm/dist/.built ] && [ -z "$(find "${sources[@]}" -newer npm/dist/.built -print -quit)" ]; then
  exit 0
fi
rm -rf npm/dist
mkdir -p npm/dist
touch npm/dist/.building

export CARGO_PROFILE_RELEASE_OPT_LEVEL=s
step 'build the offline commands' build_module sluicegate-npm npm/dist tools --no-default-features --features tools

mv npm/dist/.building npm/dist/.built
