#!/usr/bin/env bash
# Runs every fuzz target for SECONDS_EACH (60), or those that are named:
#   packaging/fuzz.sh [TARGET...]
# A run begins with the fixtures and the seeds, and goes on from what earlier runs found (fuzz/corpus). What breaks a target is in
# fuzz/artifacts; `cargo fuzz run TARGET FILE` does it again. Coverage needs a nightly toolchain; without one the pinned compiler
# is told that it is one. No sanitizer looks on: our code has no unsafe, and what counts here is what it asserts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seconds=${SECONDS_EACH:-60}
targets=("$@")
((${#targets[@]})) || mapfile -t targets < <(sed -n '/^\[\[bin\]\]/,$ s/^name = "\([a-z]*\)"$/\1/p' fuzz/Cargo.toml)
packaging/tool.sh cargo-fuzz 0.13.1
if rustup run nightly rustc --version >/dev/null 2>&1; then
    export RUSTUP_TOOLCHAIN=nightly
else
    export RUSTC_BOOTSTRAP=1
fi
seeds() {
    case $1 in
        notifications | answers) echo fixtures/up2pay fixtures/sogecommerce fixtures/worldline fixtures/monext fixtures/ancv ;;
        statements) echo fixtures/statements fixtures/up2pay ;;
        *) echo "fuzz/seeds/$1" ;;
    esac
}
broken=0
for target in "${targets[@]}"; do
    mkdir -p "fuzz/corpus/$target"
    read -ra seeds < <(seeds "$target")
    log=fuzz/$target.log
    nice cargo fuzz run --sanitizer none "$target" "fuzz/corpus/$target" "${seeds[@]}" -- -max_total_time="$seconds" \
        -max_len=16384 -rss_limit_mb=1024 -timeout=10 -print_final_stats=1 2>"$log" || {
        tail -n 40 "$log" >&2
        broken=1
    }
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    reached=$(grep -o 'cov: [0-9]* ft: [0-9]* corp: [0-9]*' "$log" | tail -n 1)
    printf '%-14s %5s s %12s executions  %s\n' "$target" "$seconds" "${runs:-?}" "${reached:-nothing was run}"
done
exit "$broken"
