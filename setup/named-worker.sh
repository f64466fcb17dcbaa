#!/usr/bin/env bash
# Builds the Worker into build/named as setup/build.sh does, but keeps the names of its functions, for `make profile`.
set -euo pipefail
. "$(dirname "$0")/environment.sh"
. "$(dirname "$0")/worker.sh"
cd "$ROOT"

build_worker build/named --debuginfo
