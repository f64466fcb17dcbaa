# Sourced by environment.sh: how the scripts here report progress and failure.
# shellcheck shell=bash

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() {
  printf 'setup: %s\n' "$*" >&2
}

die() {
  say "$*"
  exit 1
}

# step NAME COMMAND...: runs a command, its output in a log, and prints the name and the duration. If it fails, prints
# the log and exits. A step of less than a second had nothing to do, and leaves no line.
step() {
  local name=$1 log status begin milliseconds
  shift
  log=${name//[^[:alnum:].]/-}
  log="$ROOT/build/log/${log:0:60}.log"
  mkdir -p "${log%/*}"
  begin=$(milliseconds)
  if [ -t 2 ]; then printf '%-32s' "$name" >&2; fi
  # Not `|| status=$?`: the shell would ignore all failures inside a function but the last.
  set +e
  (set -e; "$@") > "$log" 2>&1
  status=$?
  set -e
  milliseconds=$(($(milliseconds) - begin))
  if [ -t 2 ]; then printf '\r\033[K' >&2; fi
  if [ "$status" != 0 ]; then
    cat "$log" >&2
    die "$name failed (log: ${log#"$PWD/"})"
  fi
  if [ "$milliseconds" -ge 1000 ]; then printf '%-32s %4d s\n' "$name" $(((milliseconds + 500) / 1000)) >&2; fi
}

# The time in milliseconds; in seconds where the shell is older than bash 5.
milliseconds() {
  local now=${EPOCHREALTIME:-$SECONDS.000000}
  now=${now/[.,]/}
  printf '%d' "$((now / 1000))"
}
