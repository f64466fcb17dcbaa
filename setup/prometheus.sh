#!/usr/bin/env bash
# Prints the folder of the programs prometheus and promtool, which test docs/grafana/ and the bridge's metrics.
#
# Those on the PATH are used. Otherwise they come from Debian's package into the user's cache. The package is not
# installed, because it would start a server.
set -euo pipefail
. "$(dirname "$0")/environment.sh"

if command -v prometheus > /dev/null && command -v promtool > /dev/null; then
  dirname "$(command -v promtool)"
  exit 0
fi

home="$CACHE/prometheus"

works() {
  "$home/usr/bin/promtool" --version > /dev/null 2>&1
}

fetch() {
  (cd "$part" && apt-get download -qq prometheus)
}

install() {
  command -v apt-get > /dev/null && command -v dpkg-deb > /dev/null ||
    die "please install Prometheus 2.42 or newer first: prometheus and promtool must be on the PATH"
  mkdir -p "$CACHE"
  part=$(mktemp -d "$CACHE/installing-XXXXXX")
  trap 'rm -rf "$part"' EXIT
  fetch || { [ "$(id -u)" = 0 ] && apt-get update -qq && fetch; } ||
    die "cannot fetch Debian's package prometheus, which the tests need once (run apt-get update, and check the network)"
  dpkg-deb -x "$part"/prometheus_*.deb "$part/new"
  "$part/new/usr/bin/promtool" --version > /dev/null

  # If another clone was faster, its copy is used. A copy that does not work is replaced.
  works || rm -rf "$home"
  mv -T "$part/new" "$home" 2> /dev/null || works || die "cannot write $home"
}

works || step "install prometheus and promtool" install
printf '%s\n' "$home/usr/bin"
