#!/usr/bin/env bash
# Builds the npm package twice more, here and from a copy of the tree in another folder, and fails if any byte differs.
set -euo pipefail
. "$(dirname "$0")/environment.sh"
cd "$ROOT"

tarball() {
  (cd "$1" && echo dist/*.tgz)
}

checksum() {
  (cd "$1" && node -p 'crypto.createHash("sha256").update(fs.readFileSync(process.argv[1])).digest("hex")' "$(tarball .)")
}

# The copy has the sources and the JavaScript tools. It builds all WebAssembly and programs anew.
build_copy() {
  git ls-files -z --cached --others --exclude-standard | tar --create --null --files-from=- | tar --extract --directory "$1"
  ln -s "$ROOT/node_modules" "$1/node_modules"
  (cd "$1" && umask 077 && env -u CARGO_TARGET_DIR setup/package.sh)
}

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
setup/package.sh
first=$(checksum .)
setup/package.sh
second=$(checksum .)
[ "$first" = "$second" ] || die "two builds in this folder differ: $first, then $second"
step 'build the package elsewhere' build_copy "$copy"
third=$(checksum "$copy")
if [ "$first" != "$third" ]; then
  mkdir -p build/differs
  rm -rf build/differs/*
  mkdir build/differs/here build/differs/there
  tar --extract --gzip --file "$(tarball .)" --directory build/differs/here
  tar --extract --gzip --file "$copy/$(tarball "$copy")" --directory build/differs/there
  diff --recursive --brief build/differs/here build/differs/there >&2 || true
  die "the build in another folder differs (both are in build/differs)"
fi
printf 'reproducible  %s  %s\n' "$first" "$(tarball .)"
