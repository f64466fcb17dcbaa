#!/usr/bin/env bash
# Installs Python packages into the user's cache: setup/python-tools.sh NAME MODULE...
# setup/NAME.txt has the packages and all that they need, exactly. Prints the path of the Python that can import the modules.
set -euo pipefail
. "$(dirname "$0")/environment.sh"

name=$1
shift
requirements="$ROOT/setup/$name.txt"
home="$CACHE/$name-$(sha256sum "$requirements" | cut -c1-12)"

can_import() {
  "$1" -c 'import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]' "${@:2}"
}

# Fails also if the system's Python, on which the environment depends, was replaced.
works() {
  [ -e "$home/.complete" ] && can_import "$home/bin/python" "$@" 2> /dev/null
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
  "$part/new/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir --only-binary=:all: --no-deps \
    --require-hashes --requirement "$requirements" ||
    die "cannot install $name, which the tests need once (check the network)"
  can_import "$part/new/bin/python" "$@"
  touch "$part/new/.complete"

  # If another clone was faster, its copy is used. A copy that does not work is replaced.
  works "$@" || rm -rf "$home"
  mv -T "$part/new" "$home" 2> /dev/null || works "$@" || die "cannot write $home"
}

works "$@" || step "install $name" install "$@"
printf '%s\n' "$home/bin/python"
