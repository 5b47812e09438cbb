#!/usr/bin/env bash
# Takes the package through a life under a real systemd, in a container of its own:
#   packaging/service-test/run.sh PACKAGE [PREVIOUS]
# As root or through sudo, with mmdebstrap and systemd-container (Debian 12). PREVIOUS is the package that is upgraded from; without it, PACKAGE
# under an earlier version number, for no version was released yet. SERVICE_TEST_TREE keeps the Debian tree between runs.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
package=$(realpath "$1")
cache=${SERVICE_TEST_TREE:-${XDG_CACHE_HOME:-$HOME/.cache}/cvco-service-test/bookworm.tar}

# It boots a container.
((EUID == 0)) || exec sudo --preserve-env=SERVICE_TEST_TREE "${BASH_SOURCE[0]}" "$@"
for tool in mmdebstrap systemd-nspawn cc; do
    command -v "$tool" >/dev/null ||
        { echo "the service test needs $tool: apt-get install mmdebstrap systemd-container gcc" >&2; exit 3; }
done

if [[ ! -e $cache ]]; then
    mkdir -p "$(dirname "$cache")"
    mmdebstrap --quiet --mode=root --variant=minbase \
        --include=systemd,systemd-sysv,dbus,ca-certificates,curl,sqlite3,procps,libcap2-bin bookworm "$cache.new"
    mv "$cache.new" "$cache"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/tree
mkdir "$tree"
tar -C "$tree" -xf "$cache"

test=$tree/test
mkdir "$test"
cp "$package" "$test/package.deb"
if [[ -n ${2:-} ]]; then
    cp "$2" "$test/previous.deb"
else
    dpkg-deb -R "$package" "$work/previous"
    sed -i 's/^Version: .*/Version: 0.9.9/' "$work/previous/DEBIAN/control"
    dpkg-deb --root-owner-group -Zgzip -z1 -b "$work/previous" "$test/previous.deb" >/dev/null
fi
cp "$here/life.sh" "$test/life.sh"
cc -O1 -static -o "$test/hold-thread" "$here/hold-thread.c"
cat >"$tree/etc/systemd/system/service-test.service" <<'UNIT'
[Unit]
After=multi-user.target dbus.service

[Service]
Type=oneshot
ExecStart=/bin/bash /test/life.sh
ExecStopPost=/bin/systemctl --no-block poweroff
StandardOutput=append:/test/told
StandardError=append:/test/told
TimeoutStartSec=20min
UNIT
mkdir -p "$tree/etc/systemd/system/default.target.wants"
ln -s ../service-test.service "$tree/etc/systemd/system/default.target.wants/service-test.service"

began=$SECONDS
timeout 1500 systemd-nspawn --quiet --boot --register=no --keep-unit --private-network --console=pipe -D "$tree" \
    >"$work/console" 2>&1 </dev/null || true
cat "$test/told" 2>/dev/null || { tail -n 40 "$work/console"; }
if [[ ! -e $test/passed ]]; then
    echo "The service test FAILED." >&2
    tail -n 60 "$test/journal" 2>/dev/null >&2 || tail -n 40 "$work/console" >&2
    exit 1
fi
echo "The service test passed, in $((SECONDS - began)) s."
