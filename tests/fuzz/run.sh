#!/usr/bin/env bash
# Searches that are guided by coverage, on stable Rust. Needs a C++ compiler, for libFuzzer.
#
#   tests/fuzz/run.sh                  every target, a minute each
#   tests/fuzz/run.sh 600 csv xlsx     these targets, ten minutes each
#   tests/fuzz/run.sh csv FILE         one input that was found
#
# INLET_FIXTURES may name a folder of other files to begin with. What was tried lies in target/fuzz-corpus,
# and what was found in target/fuzz-found; the exit code is 1 if anything was.
set -euo pipefail
cd "$(dirname "$0")/../.."

host=$(rustc -vV | sed -n 's/^host: //p')
target=${CARGO_TARGET_DIR:-target}
coverage="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-sanitizer-coverage-trace-compares"
# With --target, build scripts are built without these flags.
RUSTFLAGS="${RUSTFLAGS:-} $coverage" \
    cargo build --locked --profile fuzz --target "$host" -p inlet-fuzz --features libfuzzer --bin any
search="$target/$host/fuzz/any"
common=(-timeout=20 -rss_limit_mb=2048)

if [[ $# -gt 1 && ! $1 =~ ^[0-9]+$ ]]; then
    INLET_FUZZ_TARGET=$1 exec "$search" "${common[@]}" "${@:2}"
fi

seconds=${1:-60}
targets=("${@:2}")
if [[ ${#targets[@]} -eq 0 ]]; then
    mapfile -t targets < <(sed -n 's/^ *target("\([a-z0-9_]*\)",.*/\1/p' tests/fuzz/src/lib.rs)
fi

found=0
for name in "${targets[@]}"; do
    corpus="$target/fuzz-corpus/$name"
    log="$target/fuzz-found/$name.log"
    mkdir -p "$corpus" "$target/fuzz-found"
    export INLET_FUZZ_TARGET=$name
    INLET_FUZZ_SEEDS="$corpus" "$search" -runs=0 2>"$log"
    if "$search" "${common[@]}" -max_len=8192 -max_total_time="$seconds" -print_final_stats=1 \
        -artifact_prefix="$target/fuzz-found/$name-" "$corpus" 2>"$log"; then
        printf '%-16s %s inputs\n' "$name" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
    else
        found=1
        printf '%-16s FOUND something: see %s\n' "$name" "$log"
    fi
done
exit "$found"
