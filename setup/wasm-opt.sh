# Shared by the scripts that optimize WebAssembly: source it.

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
