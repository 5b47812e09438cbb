#!/usr/bin/env bash
# Runs a cargo subcommand that a bare Rust toolchain may lack:
#   packaging/component.sh COMPONENT SUBCOMMAND -- CARGO-ARGUMENTS...
# Where it is missing, it says loudly what was not checked, and goes on; in continuous integration that fails.
set -euo pipefail

component=$1 subcommand=$2
shift 3
cargo=${CARGO:-cargo}

if "$cargo" "$subcommand" --version >/dev/null 2>&1; then
    echo "$cargo $*"
    exec "$cargo" "$@"
fi
cat >&2 <<NOTICE
*****************************************************************************
*  NOT CHECKED: cargo $subcommand is missing.
*  Get it with: rustup component add $component
*****************************************************************************
NOTICE
if [[ -n ${CI:-} ]]; then exit 3; fi
