#!/usr/bin/env bash
# Counts the machine instructions that one notification of each PSP costs, from its bytes to the ledger, and compares them with
# packaging/instructions.txt:
#   packaging/instructions.sh          fails where one differs by more than 3 %
#   packaging/instructions.sh keep     writes the new figures down
# The number is that of two runs' difference, so nothing of start and set-up is in it; neither other load nor the disk changes it.
# It is counted in the tests' build profile, which is quick to build: figures of a release are lower, and go up and down alike. SQLite is
# C: another C compiler gives other figures, so those that are kept are of Debian 12.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

figures=packaging/instructions.txt
few=50 many=150
if ! command -v valgrind >/dev/null; then
    echo "SKIPPED: instructions are not counted, for valgrind is missing: apt-get install valgrind" >&2
    [[ -z ${CI:-} ]] || exit 1
    exit 0
fi
"${CARGO:-cargo}" build --locked --quiet --profile test -p cvco-ledger --example instructions
program=${CARGO_TARGET_DIR:-target}/debug/examples/instructions

count() {
    valgrind --tool=cachegrind --cache-sim=no --cachegrind-out-file=/dev/null "$program" "$1" "$2" 2>&1 |
        sed -n 's/,//g; s/^==[0-9]*== I *refs: *//p'
}
result=0 new=()
for psp in up2pay sogecommerce worldline monext; do
    first=$(count "$psp" "$few") second=$(count "$psp" "$many")
    each=$(((second - first) / (many - few)))
    new+=("$psp $each")
    before=$(sed -n "s/^$psp //p" "$figures" 2>/dev/null || true)
    if [[ -z $before ]]; then
        change=new
    else
        change=$(((each - before) * 1000 / before)) sign=+
        if ((change < 0)); then change=$((-change)) sign=-; fi
        if ((change > 30)); then result=1; fi
        change="$sign$((change / 10)).$((change % 10)) %"
    fi
    printf '%-14s %9d instructions a notification  %s\n' "$psp" "$each" "$change"
done
if [[ ${1:-} == keep ]]; then
    printf '%s\n' "${new[@]}" >"$figures"
    result=0
elif ((result)); then
    cat >&2 <<SAY
One differs by more than 3 % from packaging/instructions.txt. If you did not expect that, look where it goes, before and after:
    valgrind --tool=callgrind $program PSP 150 && callgrind_annotate callgrind.out.*
If it is what the change is worth, \`make instructions KEEP=keep\` writes the new figures down; commit them with it, and say why.
SAY
fi
exit "$result"
