# Steps of a build of the Worker and of other wasm, shared by the scripts that source this file.

# optimize FILE FLAG...: optimizes a file in place, with features that workerd and all browsers of the last years have. Larger
# functions are not inlined, even into their only caller: V8 compiles a function on its first call, and would compile the API
# with the first request.
optimize() {
  local wasm=$1
  shift
  wasm-opt -Oz --one-caller-inline-max-function-size=10 --strip-producers --enable-bulk-memory --enable-bulk-memory-opt \
    --enable-multivalue --enable-mutable-globals --enable-nontrapping-float-to-int --enable-reference-types \
    --enable-sign-ext "$@" -o "$wasm" "$wasm"
}

# build_module PACKAGE FOLDER NAME FLAG...: builds the wasm of a package there, and the ES module NAME.js that runs it.
# The flags are for cargo.
build_module() {
  local package=$1 folder=$2 name=$3
  shift 3
  for_wasm without_paths cargo build --locked --release -p "$package" --target wasm32-unknown-unknown "$@"
  wasm-bindgen --target web --no-typescript --out-dir "$folder" --out-name "$name" \
    "$(target_folder)/wasm32-unknown-unknown/release/${package//-/_}.wasm"
  optimize "$folder/${name}_bg.wasm" --strip-debug
}

# bundle_configuration FOLDER: puts the module with the configuration there: the file SLUICEGATE_BUNDLE, which
# `sluicegate validate --bundle` writes, or null. It is apart from the Worker, so that another one needs no build.
bundle_configuration() {
  if [ -n "${SLUICEGATE_BUNDLE:-}" ]; then
    cp "$SLUICEGATE_BUNDLE" "$1/configuration.js"
  else
    echo 'export default null;' > "$1/configuration.js"
  fi
}

# build_worker FOLDER FLAG...: builds the Worker there, with src/edge/entry.js as its entry. The flags are for wasm-opt.
build_worker() {
  local folder=$1
  shift
  # For size: loading the Worker costs more than running it.
  CARGO_PROFILE_RELEASE_OPT_LEVEL=s for_wasm without_paths worker-build --release --out-dir "$folder" . --features edge --locked
  optimize "$folder/index_bg.wasm" --enable-exception-handling "$@"
  bundle_configuration "$folder"
  cp src/edge/entry.js "$folder/entry.js"
  esbuild "$folder/entry.js" --bundle --minify --format=esm --external:./index_bg.wasm --external:./configuration.js \
    --external:cloudflare:workers --outfile="$folder/index.js" --allow-overwrite --log-level=warning
  rm "$folder/entry.js"
}
