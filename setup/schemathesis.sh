#!/usr/bin/env bash
# Installs schemathesis, which tests the admin API against its own description, into the user's cache.
# Prints the path of the Python that can run it: PYTHON -m schemathesis.cli.
set -euo pipefail
. "$(dirname "$0")/environment.sh"

requirements="$ROOT/setup/schemathesis.txt"
version=$(sed -n 's/^schemathesis==\([0-9.]*\).*/\1/p' "$requirements")
home="$CACHE/schemathesis-$version"

# Fails also if the system's Python, on which the environment depends, was replaced.
works() {
  [ -e "$home/.complete" ] && "$home/bin/python" -c 'import schemathesis' 2> /dev/null
}

find_python() {
  python3 -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2> /dev/null
}

install() {
  find_python || { "$ROOT/setup/system.sh" python3=python3 ensurepip=python3-venv && find_python; } ||
    die "please install Python 3.11 or newer with its venv module first (in Debian: the packages python3 and python3-venv)"

  mkdir -p "$CACHE"
  part=$(mktemp -d "$CACHE/installing-XXXXXX")
  trap 'rm -rf "$part"' EXIT
  python3 -m venv "$part/new"
  "$part/new/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir --only-binary=:all: \
    --require-hashes --requirement "$requirements" ||
    die "cannot install schemathesis $version, which the tests need once (check the network)"
  "$part/new/bin/python" -c 'import schemathesis'
  touch "$part/new/.complete"

  # If another clone was faster, its copy is used. A copy that does not work is replaced.
  works || rm -rf "$home"
  mv -T "$part/new" "$home" 2> /dev/null || works || die "cannot write $home"
}

works || step "install schemathesis $version" install
printf '%s\n' "$home/bin/python"
