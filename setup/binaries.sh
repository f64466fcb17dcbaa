#!/usr/bin/env bash
# Builds the programs for this platform into dist/, each as NAME-X.Y.Z-TARGET.tar.gz, and the checksums of all that is there.
#
# Two builds have the same bytes, in any folder: see setup/reproducible.sh.
set -euo pipefail
. "$(dirname "$0")/environment.sh"
cd "$ROOT"

out=dist
# The time of all files in the archives.
time=@${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
host=$(rustc -vV | sed -n 's/^host: //p')
programs="$(target_folder)/$host/release"

tar --version | grep -q GNU || die "the archives need GNU tar (install it, and put it first on the PATH as tar)"

build() {
  # Not in Cargo.toml: worker-build needs the symbols of its build.
  export CARGO_PROFILE_RELEASE_STRIP=symbols
  without_paths cargo build --locked --release -p sluicegate-cli -p sluicegate-bridge --target "$host"
}

# check NAME: fails if a program does not print the version, or contains a path of this machine.
check() {
  local program="$programs/$1" found path
  found=$("$program" --version)
  [ "$found" = "$1 $version" ] || die "$1 --version: expected $1 $version, found $found"
  for path in "$ROOT/" "${CARGO_HOME:-$HOME/.cargo}/" "$(rustc --print sysroot)/"; do
    ! grep -qaF "$path" "$program" || die "$1 contains a path of this machine: $path"
  done
}

# pack NAME FILE...: writes the archive of a program and further files.
pack() {
  local name=$1 folder="$1-$version-$host" stage
  shift
  stage=$(mktemp -d)
  mkdir "$stage/$folder"
  cp "$programs/$name" "$@" LICENSE THIRD-PARTY-LICENSES "$stage/$folder"
  # The permissions do not depend on the umask.
  chmod 644 "$stage/$folder"/*
  chmod 755 "$stage/$folder" "$stage/$folder/$name"
  tar --create --directory "$stage" --format=ustar --sort=name --mtime="$time" --owner=0 --group=0 --numeric-owner "$folder" |
    gzip -9 --no-name > "$out/$folder.tar.gz"
  rm -r "$stage"
}

step 'build the programs' build
check sluicegate
check sluicegate-bridge
mkdir -p "$out"
rm -f "$out"/*.tar.gz
pack sluicegate
pack sluicegate-bridge bridge/sluicegate-bridge.service
# Also that of `make package`, if it is there.
(cd "$out" && LC_ALL=C sha256sum -- *gz > SHA256SUMS)
cat "$out/SHA256SUMS"
