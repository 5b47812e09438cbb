#!/usr/bin/env bash
# Builds the package of the last commit twice, in two folders of different names and two target folders, and compares.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for folder in one another/of-a-longer-name; do
    mkdir -p "$work/$(dirname "$folder")"
    git clone --quiet --no-hardlinks . "$work/$folder"
    (cd "$work/$folder" && unset CARGO_TARGET_DIR && make --no-print-directory deb >"$work/told" 2>&1) ||
        { tail -n 30 "$work/told" >&2; exit 1; }
    (cd "$work/$folder/packaging/out" && sha256sum ./*.deb) | tee -a "$work/sums"
    rm -rf "$work/$folder/target"
done
if (($(sort -u "$work/sums" | wc -l) != 1)); then
    echo "The same commit gave two different packages." >&2
    exit 1
fi
echo "The same commit gave the same package in two folders."
