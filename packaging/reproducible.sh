#!/usr/bin/env bash
# Runs a command so that what it builds depends on the commit alone, not on folder, user or time:
#   packaging/reproducible.sh COMMAND...
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cargo_home=${CARGO_HOME:-$HOME/.cargo}
# Without git (an unpacked tarball) the changelog's date.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y CHANGELOG.md)}
RUSTFLAGS="${RUSTFLAGS:-} --remap-path-prefix=$PWD=/build --remap-path-prefix=$cargo_home=/cargo"
# SQLite and ring are C: their assertions name files too.
CFLAGS="${CFLAGS:-} -ffile-prefix-map=$PWD=/build -ffile-prefix-map=$cargo_home=/cargo"
if [[ -n ${CARGO_TARGET_DIR:-} ]]; then
    RUSTFLAGS+=" --remap-path-prefix=$CARGO_TARGET_DIR=/build/target"
    CFLAGS+=" -ffile-prefix-map=$CARGO_TARGET_DIR=/build/target"
fi
export SOURCE_DATE_EPOCH RUSTFLAGS CFLAGS LC_ALL=C TZ=UTC
umask 022
exec "$@"
