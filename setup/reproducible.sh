#!/usr/bin/env bash
# Builds all of dist/ twice, here and from a copy of the tree in another folder, and fails if any byte differs.
set -euo pipefail
. "$(dirname "$0")/environment.sh"
cd "$ROOT"

build_all() {
  (cd "$1" && setup/package.sh && setup/binaries.sh)
}

# The copy has the sources and the JavaScript tools. It builds all WebAssembly and programs anew.
build_copy() {
  git ls-files -z --cached --others --exclude-standard | tar --create --null --files-from=- | tar --extract --directory "$1"
  ln -s "$ROOT/node_modules" "$1/node_modules"
  (umask 077 && unset CARGO_TARGET_DIR && build_all "$1")
}

SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
build_all . >&2
step 'build elsewhere' build_copy "$copy"
for file in dist/*gz; do
  cmp --silent "$file" "$copy/$file" && continue
  rm -rf build/differs
  mkdir -p build/differs/here build/differs/there
  tar --extract --gzip --file "$file" --directory build/differs/here
  tar --extract --gzip --file "$copy/$file" --directory build/differs/there
  diff --recursive --brief build/differs/here build/differs/there >&2 || true
  die "$file differs if it is built in another folder (both are in build/differs)"
done
cat dist/SHA256SUMS
