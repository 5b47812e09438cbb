#!/usr/bin/env bash
# Installs a cargo subcommand where it is missing: packaging/tool.sh NAME VERSION
set -euo pipefail
name=$1 version=$2
if ! command -v "$name" >/dev/null; then "${CARGO:-cargo}" install --locked --quiet "$name" --version "$version"; fi
