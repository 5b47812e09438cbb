#!/usr/bin/env bash
# Installs what building and testing need and a bare Debian or Ubuntu may lack: make, a C compiler (for the bundled
# SQLite and for ring), and the accounting programs that read our exports in the tests. As root, or through sudo. Leaves
# alone what is there. Rust it only looks for.
set -euo pipefail

missing=()
command -v make >/dev/null || missing+=(make)
command -v cc >/dev/null || missing+=(gcc libc6-dev)
command -v hledger >/dev/null || missing+=(hledger)
command -v ledger >/dev/null || missing+=(ledger)
command -v bean-check >/dev/null || missing+=(beancount)

if ((${#missing[@]})); then
    if ! command -v apt-get >/dev/null; then
        echo "please install with this system's package manager: ${missing[*]}" >&2
        exit 3
    fi
    as_root=()
    if ((EUID != 0)); then as_root=(sudo); fi
    "${as_root[@]}" apt-get update -q
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}"
fi

if ! command -v cargo >/dev/null && [[ ! -x $HOME/.cargo/bin/cargo ]]; then
    echo "Rust 1.95 or later is needed: https://rustup.rs" >&2
    exit 3
fi
