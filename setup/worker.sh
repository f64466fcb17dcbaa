# Steps of a build of the Worker, shared by the scripts that source this file.

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

# add_entry FOLDER: makes src/edge/entry.js the entry of the Worker that worker-build has built there.
add_entry() {
  cp src/edge/entry.js "$1/entry.js"
  esbuild "$1/entry.js" --bundle --minify --format=esm --external:./index_bg.wasm \
    --external:cloudflare:workers --outfile="$1/index.js" --allow-overwrite --log-level=warning
  rm "$1/entry.js"
}
