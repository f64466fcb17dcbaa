#!/usr/bin/env bash
# Builds the Worker into build/worker, and the demo page and the console into build/assets.
#
# wrangler runs this as its build command. The argument is the purpose of the configuration; WRANGLER_COMMAND is what
# wrangler is about to do. The development configuration is never deployed.
set -euo pipefail
. "$(dirname "$0")/environment.sh"
. "$(dirname "$0")/worker.sh"
cd "$ROOT"

purpose=${1:?usage: setup/build.sh development|production}
case "$purpose:${WRANGLER_COMMAND:-}" in
  development:deploy | development:versions*)
    die "this is the development configuration: it names addresses of your own machine (deploy with: make deploy CONFIG=wrangler.production.toml)" ;;
esac
case "$purpose:${WRANGLER_COMMAND:-}" in
  production:deploy | production:versions*)
    # wrangler does not say which configuration it is about to deploy. Examples are not deployed.
    configs=$(find . -maxdepth 1 -name 'wrangler*.toml' -o -maxdepth 1 -name 'wrangler*.json*' | grep -v '\.example\.' || true)
    if [ -z "${SLUICEGATE_BUNDLE:-}" ] && named=$(grep -lE '^[^#]*\bSLUICEGATE_FILE\b' $configs /dev/null); then
      die "a configuration names a file to bundle: $(echo $named) (deploy with: make deploy)"
    fi ;;
esac

# The tools take their time even if nothing has changed, so this compares the times of the sources first.
sources=(src lua www setup Cargo.toml Cargo.lock package-lock.json rust-toolchain.toml)
if [ -f build/.built ] && [ -z "$(find "${sources[@]}" -newer build/.built -print -quit)" ]; then
  bundle_configuration build/worker
  exit 0
fi
rm -f build/.built
mkdir -p build
touch build/.building

build_pages() {
  build_module sluicegate-www build/www sluicegate_www
  node www/build.mjs build/www build/assets
}

step 'build the Worker' build_worker build/worker --strip-debug
step 'build the pages' build_pages

bytes=$(cat build/worker/*.js build/worker/*.wasm | gzip -9 | wc -c)
# 5 % more than it was when the limit was set.
[ "$bytes" -le 587000 ] || die "the Worker is too large: $bytes bytes gzipped (the limit is 587000)"
printf 'worker  %7d bytes gzipped (build/worker)\n' "$bytes"
mv build/.building build/.built
