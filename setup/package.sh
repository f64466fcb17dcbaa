#!/usr/bin/env bash
# Builds the npm package into dist/: the Worker, its pages, a template, and the programs behind `npx sluicegate`.
#
# Two builds have the same bytes, in any folder: see setup/reproducible.sh.
set -euo pipefail
. "$(dirname "$0")/environment.sh"
cd "$ROOT"

# The package of the platform on which it is built, in the words of Node.js.
platform=$(node -p 'process.platform + "-" + process.arch')
host=$(rustc -vV | sed -n 's/^host: //p')

# With the C library of the system: that of Linux is under the LGPL, which has conditions for programs that contain it.
build_stack() {
  without_paths cargo build --locked --profile npm -p sluicegate-devstack --target "$host"
}

assemble() {
  local package=build/package
  rm -rf "$package"
  mkdir -p "$package/bin/$platform" "$package/worker"
  cp -R npm/package.json npm/README.md npm/index.d.ts npm/bin npm/commands npm/dist npm/lib npm/template LICENSE THIRD-PARTY-LICENSES "$package"
  cp "$(target_folder)/$host/npm/sluicegate-devstack" "$package/bin/$platform/"
  cp build/worker/index.js build/worker/index_bg.wasm build/worker/configuration.js "$package/worker/"
  cp -R build/assets "$package/assets"
  rm "$package/dist/.built"
  # The permissions do not depend on the umask.
  find "$package" -type f -exec chmod 644 {} +
  chmod 755 "$package/bin/sluicegate.js" "$package/bin/$platform/sluicegate-devstack"
}

unset SLUICEGATE_BUNDLE
setup/build.sh production
setup/library.sh
step 'build the stack for dev' build_stack
mkdir -p dist
rm -f dist/*.tgz
assemble
# Sorts the entries, and gives all the same time and owner. npm would leave its compile cache in the temporary folder.
tarball=$(cd build/package && NODE_DISABLE_COMPILE_CACHE=1 npm pack --ignore-scripts --loglevel=error --pack-destination "$ROOT/dist")
# The checksums of setup/binaries.sh, if they are there, are those of the new package.
[ ! -f dist/SHA256SUMS ] || (cd dist && LC_ALL=C sha256sum -- *gz > SHA256SUMS)
setup/npm-cache.sh
printf 'package %7d bytes (dist/%s)\n' "$(wc -c < "dist/$tarball")" "$tarball"
