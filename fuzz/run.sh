#!/usr/bin/env bash
# Runs every target under libFuzzer, one after the other, and prints a table. Inputs that are new are kept in build/fuzz,
# so that the next run continues from there.
#
# RUNS: executions per target. TARGET: only this one.
#
# The flags are those of cargo-fuzz, without sanitizers: the code is safe Rust. All of them are stable.
set -euo pipefail
cd "$(dirname "$0")/.."
. setup/environment.sh

runs=${RUNS:-2000000}
targets=${TARGET:-$(ls fuzz/corpus)}
host=$(rustc -vV | sed -n 's/^host: //p')
coverage='-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-trace-compares
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table'

# With --target, build scripts and macros are built without coverage.
step 'build the fuzz targets' env RUSTFLAGS="$coverage" cargo build --locked --profile fuzz --target "$host" \
  --target-dir target/fuzz -p sluicegate-fuzz --features libfuzzer --bin fuzz
program=target/fuzz/$host/fuzz/fuzz

# statistic NAME: a number that libFuzzer prints at the end, or 0 if it did not come to that.
statistic() {
  sed -n "s/^stat::$1: *//p" "$log" | grep . || echo 0
}

count() {
  find "$1" -type f | wc -l
}

# row TARGET EXECUTIONS MILLISECONDS INPUTS CRASHES: prints a line of the table.
row() {
  printf '%-12s %12d %9d %13d %12d %8d\n' "$1" "$2" $(($3 / 1000)) $(($2 * 1000 / ($3 + 1))) "$4" "$5"
}

all=0 all_spent=0 all_inputs=0 all_crashes=0
printf '%-12s %12s %9s %13s %12s %8s\n' target executions seconds executions/s 'new inputs' crashes
for target in $targets; do
  corpus=build/fuzz/corpus/$target crashes=build/fuzz/crashes/$target log=build/log/fuzz-$target.log
  [ -d "fuzz/corpus/$target" ] || die "TARGET: no target is named $target (known: $(echo $(ls fuzz/corpus)))"
  mkdir -p "$corpus" "$crashes" build/log
  inputs=("$corpus" "fuzz/corpus/$target")
  [ ! -d "fuzz/crashes/$target" ] || inputs+=("fuzz/crashes/$target")
  begin=$(milliseconds) before=$(count "$corpus") status=0
  SLUICEGATE_TARGET=$target nice "$program" -runs="$runs" -dict=fuzz/dictionary.txt -max_len=4096 -timeout=10 \
    -print_final_stats=1 -artifact_prefix="$crashes/" "${inputs[@]}" > "$log" 2>&1 || status=$?
  spent=$(($(milliseconds) - begin))
  executions=$(statistic number_of_executed_units)
  new=$(($(count "$corpus") - before))
  row "$target" "$executions" "$spent" "$new" $((status != 0))
  all=$((all + executions)) all_spent=$((all_spent + spent)) all_inputs=$((all_inputs + new))
  all_crashes=$((all_crashes + (status != 0)))
  if [ "$status" != 0 ]; then
    # Without what libFuzzer prints of the input.
    grep -aE "panicked at|ERROR|Test unit written|^  left|^ right" -A1 "$log" | head -12 | cut -c 1-300 >&2
    say "to mend it, commit the file that was written to fuzz/crashes/$target (log: $log), then cargo test -p sluicegate-fuzz"
  fi
done
row total "$all" "$all_spent" "$all_inputs" "$all_crashes"
[ "$all_crashes" = 0 ]
