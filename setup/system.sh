#!/usr/bin/env bash
# Installs system packages whose command, or file, is missing: setup/system.sh COMMAND=PACKAGE...
# Where it may not install, it says in one line what to install.
set -euo pipefail
. "$(dirname "$0")/environment.sh"

missing=()
for pair in "$@"; do
  wanted=${pair%%=*}
  command -v "$wanted" > /dev/null || [ -e "$wanted" ] || missing+=("${pair#*=}")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" != 0 ]; then
  as_root=(sudo -n)
  if ! sudo -n true 2> /dev/null; then
    die "please install these packages first: ${missing[*]}"
  fi
fi
command -v apt-get > /dev/null || die "please install these packages first: ${missing[*]} (names as in Debian)"

say "installing ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
