#!/usr/bin/env bash
# Makes packaging/out/cvco-reconciled-VERSION-MACHINE.tar.gz of what `make install` puts into place; the same bytes each time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
name=cvco-reconciled-$version-$(uname -m)
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
DESTDIR=$stage/$name PREFIX=/usr packaging/stage.sh install
tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner -C "$stage" -cf - "$name" |
    gzip -9n >"packaging/out/$name.tar.gz"
echo "packaging/out/$name.tar.gz"
