#!/usr/bin/env bash
# Installs the standard library for wasm32-unknown-unknown: with rustup or, if rustup cannot download it, from Debian's
# packages of the Rust source. Writes the name of the toolchain that has it to the cache.
#
# SLUICEGATE_WASM=rustup or SLUICEGATE_WASM=debian selects one of the two.
set -euo pipefail
. "$(dirname "$0")/environment.sh"

target=wasm32-unknown-unknown
choice="${SLUICEGATE_WASM:-}"
mkdir -p "$CACHE"

has_target() {
  ls "$("$@" rustc --print target-libdir --target "$target" 2> /dev/null)"/libstd-*.rlib > /dev/null 2>&1
}

by_rustup() {
  # After one failed download, trying again would delay every run.
  [ -n "$choice" ] || [ "$WASM_TOOLCHAIN" != debian ] || has_target env || return 1
  if ! has_target env; then
    step "install Rust target" add_target
    has_target env || return 1
  fi
  echo > "$CACHE/wasm-toolchain"
}

# Does not fail: by_debian is the fallback.
add_target() {
  timeout 180 rustup target add "$target" || true
}

by_debian() {
  if ! has_target env RUSTUP_TOOLCHAIN=debian; then
    "$ROOT/setup/system.sh" /usr/bin/rustc=rustc-web /usr/bin/cargo=cargo-web /usr/bin/clippy-driver=rust-web-clippy \
      /usr/lib/rustlib/src/rust/library=rust-web-src lld-22=lld-22
    link_linker
    step "build Rust's standard library" build_library
    rustup toolchain link debian /usr
  fi
  link_linker
  echo debian > "$CACHE/wasm-toolchain"
}

link_linker() {
  mkdir -p "$CACHE/linker"
  ln -sf "$(command -v lld-22)" "$CACHE/linker/rust-lld"
}

build_library() {
  local library=/usr/lib/rustlib/$target/lib work as_root=()
  if [ "$(id -u)" != 0 ]; then
    sudo -n true 2> /dev/null || die "please run this once as root, or with sudo allowed: setup/wasm.sh writes to $library"
    as_root=(sudo -n)
  fi
  work=$(mktemp -d)
  # Expanded now: when the trap runs, the function has returned and `work` is unset.
  # shellcheck disable=SC2064
  trap "rm -rf '$work'" EXIT
  mkdir "$work/src"
  : > "$work/src/lib.rs"
  cat > "$work/Cargo.toml" << 'END'
[package]
name = "nothing"
edition = "2024"
[profile.release]
panic = "abort"
END
  (
    cd "$work"
    export RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc PATH="$CACHE/linker:$PATH"
    without_paths /usr/bin/cargo build --quiet --release -Zbuild-std=std,panic_abort,test --target "$target" --target-dir target
  )
  "${as_root[@]}" mkdir -p "$library"
  find "$work/target/$target/release/deps" -name '*.rlib' ! -name 'libnothing-*' \
    -exec "${as_root[@]}" cp {} "$library/" \;
}

case "$choice" in
  rustup) by_rustup || die "rustup cannot add the target $target" ;;
  debian) by_debian ;;
  '') by_rustup || by_debian ;;
  *) die "SLUICEGATE_WASM: expected rustup or debian, found $choice" ;;
esac
