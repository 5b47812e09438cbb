#!/usr/bin/env bash
# Runs a cargo subcommand that a bare Rust toolchain may lack:
#   packaging/component.sh COMPONENT SUBCOMMAND -- CARGO-ARGUMENTS...
# Tries to add the component; where that is impossible, it says loudly what was not checked, and goes on.
set -euo pipefail

component=$1 subcommand=$2
shift 3
cargo=${CARGO:-cargo}

available() { "$cargo" "$subcommand" --version >/dev/null 2>&1; }

if ! available && command -v rustup >/dev/null; then
    rustup component add "$component" || true
fi
if available; then
    echo "$cargo $*"
    exec "$cargo" "$@"
fi
cat >&2 <<NOTICE
*****************************************************************************
*  NOT CHECKED: cargo $subcommand is missing, and rustup could not add it.
*  Get it with: rustup component add $component
*****************************************************************************
NOTICE
