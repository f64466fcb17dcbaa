#!/usr/bin/env bash
# Builds the Worker into build/named as setup/build.sh does, but keeps the names of its functions, for `make profile`.
set -euo pipefail
. "$(dirname "$0")/environment.sh"
. "$(dirname "$0")/worker.sh"
cd "$ROOT"

CARGO_PROFILE_RELEASE_OPT_LEVEL=s for_wasm worker-build --release --out-dir build/named . --features edge --locked
optimize build/named/index_bg.wasm --debuginfo --enable-exception-handling
add_entry build/named
