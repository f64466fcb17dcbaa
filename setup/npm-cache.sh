#!/usr/bin/env bash
# Puts everything into npm's cache that the npm package needs, so that it can be installed without a network. Takes from the
# network what is not there yet.
set -euo pipefail
. "$(dirname "$0")/environment.sh"
cd "$ROOT"

fill() {
  local folder
  folder=$(mktemp -d)
  # Expanded now: when the trap runs, the function has returned and `folder` is unset.
  # shellcheck disable=SC2064
  trap "rm -rf '$folder'" EXIT
  # The dependencies alone: npm asks for the same as with the package.
  cp npm/package.json "$folder"
  cd "$folder"
  NODE_DISABLE_COMPILE_CACHE=1 npm install --prefer-offline --ignore-scripts --no-package-lock --no-fund --no-audit --loglevel=error
}

step "fill npm's cache" fill
