#!/usr/bin/env bash
# Writes packaging/out/cvco-reconciled-VERSION.cdx.json, a bill of materials (CycloneDX 1.5) of all crates in the program; the
# same commit gives the same bytes. The program itself names them too (cargo-auditable): `cargo audit bin` reads that.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
# It writes one file beside each crate's manifest; the program's own names all that the others do.
trap 'rm -f bom-of-release.json crates/*/bom-of-release.json' EXIT
"${CARGO:-cargo}" cyclonedx --format json --spec-version 1.5 --target x86_64-unknown-linux-gnu --no-build-deps \
    --override-filename bom-of-release -qq
sed "s|file://$PWD|file:///build|g" bom-of-release.json >"packaging/out/cvco-reconciled-$version.cdx.json"
echo "packaging/out/cvco-reconciled-$version.cdx.json"
