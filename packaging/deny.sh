#!/usr/bin/env bash
# Licences, refused crates and sources of all dependencies (deny.toml), and what RustSec knows against them. In continuous
# integration a missing cargo-deny is installed.
set -euo pipefail
cargo=${CARGO:-cargo}
version=0.20.2

notice() {
    cat >&2 <<NOTICE
*****************************************************************************
*  NOT CHECKED: $1
*****************************************************************************
NOTICE
}

if ! "$cargo" deny --version >/dev/null 2>&1; then
    if [[ -z ${CI:-} ]]; then
        notice "licences, bans and advisories. cargo install --locked cargo-deny --version $version"
        exit 0
    fi
    "$cargo" install --locked --quiet cargo-deny --version "$version"
fi
"$cargo" deny --locked check licenses bans sources
if "$cargo" deny fetch db; then
    "$cargo" deny --locked check --disable-fetch advisories
else
    notice "advisories: the database of RustSec cannot be fetched from here."
fi
