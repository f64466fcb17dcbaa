# Sourced by `make test`: gives the run a temporary folder, and checks that the tests leave nothing in it.
# shellcheck shell=bash

TMPDIR=$(mktemp -d "${TMPDIR:-/tmp}/sluicegate-XXXXXX")
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT

# with_own_folder COMMAND...: runs a command with a folder for its temporary files and its settings that is removed
# afterwards, for third-party programs that leave files behind.
with_own_folder() {
  local folder status=0 _
  folder=$(mktemp -d "$TMPDIR/own-XXXXXX")
  TMPDIR=$folder XDG_CONFIG_HOME=$folder "$@" || status=$?
  # Fails while a browser that was just killed still writes.
  for _ in {1..50}; do
    rm -rf "$folder" 2> /dev/null && break
    sleep 0.2
  done
  return "$status"
}

# Fails if anything is left in the temporary folder.
check_nothing_left() {
  local _
  # What belongs to a killed process is removed a moment after it.
  for _ in {1..50}; do
    [ -n "$(ls -A "$TMPDIR")" ] || return 0
    sleep 0.2
  done
  find "$TMPDIR" >&2
  die "the tests left the files above in the temporary folder"
}
