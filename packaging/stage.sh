#!/usr/bin/env bash
# Puts everything that a package holds into place, or takes it away again:
#   packaging/stage.sh install|uninstall
# DESTDIR, PREFIX, SYSCONFDIR and BINARY come from the Makefile. Configuration, log and ledger are never touched.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

act=$1
root=${DESTDIR:-}
prefix=$root${PREFIX:-/usr/local}
name=cvco-reconciled

# Mode, source, target.
files() {
    echo "0755 $BINARY $prefix/bin/$name"
    for unit in systemd/*; do echo "0644 $unit $prefix/lib/systemd/system/${unit#systemd/}"; done
    echo "0644 packaging/sysusers.d/$name.conf $prefix/lib/sysusers.d/$name.conf"
    echo "0644 packaging/tmpfiles.d/$name.conf $prefix/lib/tmpfiles.d/$name.conf"
    for page in packaging/out/man/*.1; do echo "0644 $page $prefix/share/man/man1/${page##*/}"; done
    echo "0644 packaging/out/$name.bash $prefix/share/bash-completion/completions/$name"
    echo "0644 packaging/out/_$name $prefix/share/zsh/site-functions/_$name"
    echo "0644 packaging/out/$name.fish $prefix/share/fish/vendor_completions.d/$name.fish"
    for page in README.md CHANGELOG.md SECURITY.md LICENSE-* schema.sql config.example.toml; do
        echo "0644 $page $prefix/share/doc/$name/$page"
    done
    for page in packaging/prometheus/* packaging/grafana/*; do
        echo "0644 $page $prefix/share/$name/${page#packaging/}"
    done
    find docs -name '*.md' -type f -o -name openapi.json | LC_ALL=C sort | while read -r page; do
        echo "0644 $page $prefix/share/doc/$name/$page"
    done
}

case $act in
install)
    test -x "$BINARY" || { echo "run \`make build\` first" >&2; exit 1; }
    test -d packaging/out/man || { echo "run \`make build\` first" >&2; exit 1; }
    files | while read -r mode source target; do install -D -m "$mode" "$source" "$target"; done
    # The units name the program where a package puts it.
    sed -i "s|^ExecStart=/usr/bin/|ExecStart=${PREFIX:-/usr/local}/bin/|" "$prefix"/lib/systemd/system/$name*.service
    install -d -m 0755 "$root${SYSCONFDIR:-/etc}/$name"
    ;;
uninstall)
    files | while read -r _ _ target; do rm -f "$target"; done
    # Pages of commands that have gone since, and folders of ours that are empty now.
    rm -f "$prefix"/share/man/man1/$name-*.1
    find "$prefix/share/doc/$name" "$prefix/share/$name" -depth -type d -empty -delete 2>/dev/null || true
    echo "Kept: ${SYSCONFDIR:-/etc}/$name (configuration, secrets) and /var/lib/$name (log, ledger)."
    ;;
*)
    echo "usage: packaging/stage.sh install|uninstall" >&2
    exit 2
    ;;
esac
