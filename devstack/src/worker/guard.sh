# Runs "$@" in this shell's process group and ends the whole group: when the command ends, on SIGTERM, and when
# standard input closes, which it does even if the process at its other end is killed. In the last two cases it also
# removes $GUARD_FOLDER, because its owner may be gone.
exec 3<&0 </dev/null
stopping=
trap 'stopping=1' TERM
"$@" 3<&- &
command=$!
# Repeats the signal, because one that arrives just before `wait` does not interrupt it.
{ read -r _ <&3; while kill -TERM $$; do sleep 1; done; } >/dev/null 2>&1 &
exec 3<&-
wait "$command"
status=$?
trap '' TERM
kill -TERM 0
if [ -n "$stopping" ]; then
	{ sleep "$GUARD_GRACE_SECONDS"; kill -KILL 0; } >/dev/null 2>&1 &
	wait "$command"
	rm -rf "${GUARD_FOLDER:?}"
	kill -KILL 0
fi
exit "$status"
