#!/usr/bin/env bash
# Builds the Worker into build/named as setup/build.sh does, but keeps the names of its functions, for `make profile`.
set -euo pipefail
. "$(dirname "$0")/environment.sh"
cd "$ROOT"

# The flags are those of setup/build.sh, except for the names.
CARGO_PROFILE_RELEASE_OPT_LEVEL=s for_wasm worker-build --release --out-dir build/named . --features edge --locked
wasm=build/named/index_bg.wasm
wasm-opt -Oz --debuginfo --strip-producers --enable-bulk-memory --enable-bulk-memory-opt --enable-multivalue \
  --enable-mutable-globals --enable-nontrapping-float-to-int --enable-reference-types --enable-sign-ext \
  --enable-exception-handling -o "$wasm" "$wasm"
