#!/usr/bin/env bash
# Writes packaging/out/changelog in Debian's form, and prints the package's version. A version before a release sorts before
# it only with a tilde: dpkg takes 1.0.0-alpha for newer than 1.0.0.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
debian=${version/-/\~}-1
cat >packaging/out/changelog <<TEXT
cvco-reconciled ($debian) unstable; urgency=medium

  * What changed is in /usr/share/doc/cvco-reconciled/CHANGELOG.md.

 -- cvco-reconciled <root@localhost>  $(date -R -u -d "@$SOURCE_DATE_EPOCH")
TEXT
echo "$debian"
