#!/usr/bin/env bash
# What building and testing need and a bare Debian or Ubuntu may lack: make, a C compiler (for the bundled SQLite and for
# ring), and the programs of others that read what we write and take what we send. Rust it only looks for.
#   packaging/bootstrap.sh            installs what is missing, as root or through sudo; leaves alone what is there
#   packaging/bootstrap.sh container  also what boots a container for `make service-test`
#   packaging/bootstrap.sh look       installs nothing, and says what `make test` leaves out without it
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Program, or several of which one is enough, and package.
build=("make make" "cc gcc" "cc libc6-dev")
readers=("hledger hledger" "ledger ledger" "bean-check beancount" "systemd-analyze systemd" "promtool prometheus"
    "php php-cli" "php-fpm php-fpm" "/usr/sbin/nginx nginx" "/usr/sbin/mariadbd mariadb-server-core"
    "mariadb mariadb-client-core")
# Their programs alone: the tests run a Postfix of their own, and none of the system's is set up.
servers=("postfix postfix" "saslpasswd2 sasl2-bin" "pg_ctlcluster postgresql")
# The dashboard is tried in a browser (tests/browser); npm fetches what looks there for barriers.
browser=("chromium,chromium-browser,google-chrome chromium" "chromedriver chromium-driver" "npm npm")
cache="${XDG_CACHE_HOME:-$HOME/.cache}/cvco-reconciled/npm"
container=()
if [[ ${1:-} == container ]]; then container=("mmdebstrap mmdebstrap" "systemd-nspawn systemd-container"); fi

# What of a list is not there: its programs, or with `packages` its packages.
missing() {
    local what=$1 program package
    shift
    for pair in "$@"; do
        read -r program package <<<"$pair"
        # shellcheck disable=SC2086 # one word for each; it is enough that one is there
        command -v ${program//,/ } >/dev/null || if [[ $what == packages ]]; then echo "$package"; else echo "${program%%,*}"; fi
    done | uniq
}

look() {
    local tools programs
    tools=$(missing programs "${build[@]}")
    if [[ -n $tools ]]; then
        echo "building needs ${tools//$'\n'/, }: packaging/bootstrap.sh installs it" >&2
        exit 3
    fi
    programs=$(missing programs "${readers[@]}" "${servers[@]}" "${browser[@]}"; has_axe || echo axe-core)
    if [[ -z $programs ]]; then return; fi
    cat >&2 <<NOTICE
*****************************************************************************
*  NOT CHECKED: what ${programs//$'\n'/, } would say about what we write and send.
*  packaging/bootstrap.sh installs what is missing.
*****************************************************************************
NOTICE
    # Continuous integration must not pass for want of a program.
    if [[ -n ${CI:-} ]]; then exit 3; fi
}

has_axe() {
    [[ -f $cache/node_modules/axe-core/axe.min.js ]]
}

# One program of a package that would start a server: where it is in there, and where it goes.
alone() {
    local package=$1 from=$2 to=$3 folder
    folder=$(mktemp -d)
    (
        cd "$folder"
        apt-get download -q "$package"
        dpkg-deb --extract "$package"_*.deb .
    )
    "${as_root[@]}" install -m 0755 "$folder/$from" "$to"
    rm -r "$folder"
}

if [[ ${1:-} == look ]]; then
    look
    exit
fi

mapfile -t packages < <(missing packages "${build[@]}" "${readers[@]}" "${servers[@]}" "${browser[@]}" \
    "${container[@]}")
if ((${#packages[@]})); then
    if ! command -v apt-get >/dev/null; then
        echo "please install with this system's package manager: ${packages[*]}" >&2
        exit 3
    fi
    as_root=()
    if ((EUID != 0)); then as_root=(sudo); fi
    "${as_root[@]}" apt-get update -q
    if [[ " ${packages[*]} " == *" postfix "* ]] && command -v debconf-set-selections >/dev/null; then
        "${as_root[@]}" debconf-set-selections <<<'postfix postfix/main_mailer_type select No configuration'
        # What its login needs, and is only recommended.
        packages+=(libsasl2-modules)
    fi
    # The tests run servers of their own: none of the system's is set up.
    if [[ " ${packages[*]} " == *" postgresql "* && ! -e /etc/postgresql-common/createcluster.conf ]]; then
        "${as_root[@]}" install -d /etc/postgresql-common
        echo 'create_main_cluster = false' | "${as_root[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
    fi
    # Ubuntu has it as a snap, under other names.
    if ! apt-cache show chromium &>/dev/null; then
        packages=("${packages[@]/%chromium/chromium-browser}")
        packages=("${packages[@]/chromium-driver/chromium-chromedriver}")
    fi
    mapfile -t whole < <(printf '%s\n' "${packages[@]}" | grep -vxE 'prometheus|nginx|php-fpm')
    if ((${#whole[@]})); then
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${whole[@]}"
    fi
    if ! command -v promtool >/dev/null; then alone prometheus usr/bin/promtool /usr/local/bin/promtool; fi
    if ! command -v php-fpm >/dev/null; then
        # Its package has the version of php in its name. Its libraries come with php and systemd.
        version=$(php -r 'echo PHP_MAJOR_VERSION, ".", PHP_MINOR_VERSION;')
        alone "php$version-fpm" "usr/sbin/php-fpm$version" /usr/local/bin/php-fpm
    fi
    if ! command -v /usr/sbin/nginx >/dev/null; then alone nginx usr/sbin/nginx /usr/sbin/nginx; fi
fi

if ! has_axe; then
    mkdir -p "$cache"
    cp tests/browser/package.json tests/browser/package-lock.json "$cache/"
    (cd "$cache" && npm ci --ignore-scripts --no-audit --no-fund --silent)
fi

if ! command -v cargo >/dev/null && [[ ! -x $HOME/.cargo/bin/cargo ]]; then
    echo "Rust 1.95 or later is needed: https://rustup.rs" >&2
    exit 3
fi
