#!/usr/bin/env bash
# Installs the system packages of missing commands or files: setup/system.sh COMMAND=PACKAGE...
# Without the permission to install, it names the packages and fails.
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

install() {
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
}

step "install ${missing[*]}" install
