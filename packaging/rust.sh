#!/usr/bin/env bash
# Says how to get Rust where there is none.
set -euo pipefail
if command -v "${CARGO:-cargo}" >/dev/null; then exit 0; fi
if [[ -x $HOME/.cargo/bin/cargo ]]; then
    echo "Rust is in ~/.cargo/bin, which PATH does not name: . ~/.cargo/env" >&2
else
    echo "Rust 1.95 or later is needed: https://rustup.rs (and a C compiler: packaging/bootstrap.sh)" >&2
fi
exit 3
