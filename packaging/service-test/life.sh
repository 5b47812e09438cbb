#!/usr/bin/env bash
# The life of the package, told inside the container by run.sh. Ends with /test/passed, or says what was not as it must be.
set -euo pipefail
cd /test
exec </dev/null
export DEBIAN_FRONTEND=noninteractive PAGER=cat
unit=cvco-reconciled.service
state=/var/lib/cvco-reconciled
public=http://127.0.0.1:8080
admin=http://127.0.0.1:8081

now() { date +%s%3N; }
begun=$(now)
step() {
    printf '%7.1f s  %s\n' "$(($(now) - begun))e-3" "$1"
}
fail() {
    echo "NOT AS IT MUST BE: $1"
    exit 1
}
trap 'journalctl --no-pager -u "cvco-*" >/test/journal 2>&1 || true' EXIT
trap 'echo "line $LINENO: $BASH_COMMAND"' ERR

program() { runuser -u cvco-reconciled -- cvco-reconciled "$@"; }
property() { systemctl show --value -p "$1" "$unit"; }
# How many payments the ledger knows.
payments() { sqlite3 -readonly "$state/ledger.sqlite" 'SELECT COUNT(*) FROM acct_tenders'; }
notifications() { sqlite3 -readonly "$state/ledger.sqlite" 'SELECT COUNT(*) FROM notifications'; }
ready() { curl -fsS "$admin/readyz"; }

# Signed traffic, of which every call must be acknowledged.
traffic() {
    program simulate --url "$public" --psp sogecommerce --seed "$(date +%N)" "$@" >/test/simulated ||
        { cat /test/simulated; fail "traffic was not taken"; }
}

# Waits until a condition holds; what it waits for tells nobody when it comes.
await() {
    local patience=$(($(now) + $1 * 1000)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        (($(now) < patience)) || fail "$what, within $1 s"
        sleep 0.05
    done
}
is_active() { [[ $(property ActiveState) == active ]]; }
has_restarted() { (($(property NRestarts) > $1)) && is_active; }
folded() { [[ $(ready) == "ready; 0 entries to fold"* ]]; }

# ───────────────────────────── install, start ─────────────────────────────

upstream=$(dpkg-deb -f package.deb Version)
upstream=${upstream%-*}
[[ $upstream != *-* ]] || fail "$upstream: dpkg takes what stands before a release for newer than the release"
dpkg -i previous.deb >/test/dpkg 2>&1 || { cat /test/dpkg; fail "the previous package is installed"; }
id cvco-reconciled >/dev/null
[[ $(stat -c '%U:%G %a' $state) == "cvco-reconciled:cvco-ledger 750" ]] || fail "the folder of the ledger"
[[ $(property ActiveState) == inactive ]] || fail "nothing starts before there is a configuration"
step "the previous package is installed; nothing runs yet"

echo 'k3yOfTheTrialShop1' >/test/form.key
cvco-reconciled init --shop camping --name 'Camping des Pins' --url https://paiements.camping.example \
    --psp sogecommerce --mode test --to compta@camping.example --from cvco@camping.example \
    --smtp smtp://127.0.0.1:25 --language fr --sogecommerce-site 12345678 \
    --sogecommerce-key-file /test/form.key --sogecommerce-algorithm hmac-sha-256 >/test/guide
grep -q 'https://paiements.camping.example/n/' /test/guide || fail "init says what to paste"
config=/etc/cvco-reconciled/config.toml
# Only the mail server is missing here.
program check >/test/check || true
[[ $(grep -c '^BAD' /test/check) == "$(grep -c '^BAD.*smtp\|^BAD.*mail' /test/check)" ]] || { cat /test/check; fail "check finds nothing else"; }
step "init has written a configuration that check accepts"

systemctl enable --now cvco-reconciled.socket "$unit" 2>/dev/null
is_active || fail "the service starts"
[[ $(ready) == ready* ]] || fail "it is ready"
step "socket and service are started; ready"

traffic --orders 200
await 20 "everything is folded" folded
known=$(payments)
((known > 100)) || fail "payments are known: $known"
step "200 signed orders are acknowledged: $known payments"

systemctl reload "$unit"
is_active || fail "it reloads"
[[ $(ready) == ready* ]] || fail "it is ready after a reload"
step "the configuration is loaded again"

exposure=$(systemd-analyze security "$unit" --no-pager | sed -n 's/^→ Overall exposure level for [^:]*: \([0-9.]*\).*/\1/p')
[[ $(printf '%s\n1.2\n' "$exposure" | sort -n | tail -n 1) == 1.2 ]] || fail "exposure $exposure"
[[ $(stat -c '%G %a' $state/ledger.sqlite) == "cvco-ledger 640" ]] || fail "the accountant's group reads the ledger"
[[ $(stat -c '%a' $state/payload.key) == 600 ]] || fail "the service alone reads the payload key"
journalctl --sync
journalctl -u "$unit" -o json --no-pager >/test/fields
grep -q '"ENDPOINT_ID"' /test/fields || { head -c 2000 /test/fields; fail "the journal has native fields"; }
step "live exposure $exposure; the ledger is the group's, the key is not; the journal has fields"

# ───────────────────────────── restarts, deaths ─────────────────────────────

restarts() { for _ in $(seq 100); do systemctl restart "$unit" || exit 1; done; }
# A service that is restarted so often is not failing.
mkdir -p /run/systemd/system/$unit.d
printf '[Unit]\nStartLimitIntervalSec=0\n' >/run/systemd/system/$unit.d/test.conf
systemctl daemon-reload
restarts &
restarting=$!
calls=0
while kill -0 "$restarting" 2>/dev/null; do
    traffic --orders 40 --rate 100 --connections 8
    calls=$((calls + $(grep -o -m 1 '[0-9][0-9,]*' /test/simulated | head -n 1 | tr -d ,)))
done
wait "$restarting" || fail "100 restarts"
step "100 restarts under load through the socket; $calls calls, none refused"

before=$(property NRestarts)
kill -9 "$(property MainPID)"
await 20 "it comes back after kill -9" has_restarted "$before"
traffic --orders 10
step "kill -9: it is back, and takes calls"

printf '[Service]\nWatchdogSec=4s\n' >>/run/systemd/system/$unit.d/test.conf
systemctl daemon-reload
systemctl restart "$unit"
before=$(property NRestarts)
/test/hold-thread "$(property MainPID)" log-appender >/test/held &
await 10 "the appender hangs" grep -q held /test/held
# What is sent meanwhile waits, and is answered by the next daemon or repeated by the PSP.
await 60 "the watchdog kills a daemon whose appender hangs" has_restarted "$before"
journalctl --sync
journalctl -u "$unit" --no-pager >/test/fields
grep -qi 'watchdog timeout' /test/fields || fail "it was the watchdog"
traffic --orders 10
rm /run/systemd/system/$unit.d/test.conf
systemctl daemon-reload
systemctl restart "$unit"
step "a daemon whose appender hangs is killed by the watchdog, and the next one takes calls"

# ───────────────────────────── upgrade, backup, restore ─────────────────────────────

await 20 "everything is folded" folded
known=$(payments)
echo '# written by the administrator' >>$config
echo '# changed by the administrator' >>/etc/cvco-reconciled/config.example.toml
before=$(property MainPID)
traffic --orders 200 --rate 50 --connections 8 &
sending=$!
dpkg --force-confold -i package.deb >/test/dpkg 2>&1 || { cat /test/dpkg; fail "the upgrade"; }
wait "$sending" || fail "every call was taken during the upgrade"
is_active || fail "it runs after the upgrade"
[[ $(property MainPID) != "$before" ]] || fail "the upgrade restarts the service"
grep -q 'written by the administrator' $config || fail "the upgrade keeps the configuration"
grep -q 'changed by the administrator' /etc/cvco-reconciled/config.example.toml || fail "the upgrade keeps conffiles"
(($(payments) > known)) || fail "the upgrade keeps the ledger"
traffic --orders 10
step "upgraded under load: configuration, log and ledger are kept, the service is restarted, no call is refused"

await 20 "everything is folded" folded
calls=$(notifications)
runuser -u cvco-reconciled -- sqlite3 $state/log.sqlite ".backup '$state/log.backup'"
cp -p $state/payload.key /test/payload.key
step "log and key are backed up while it runs"
systemctl stop "$unit" cvco-reconciled.socket
mv $state /var/lib/lost
systemd-tmpfiles --create cvco-reconciled.conf
install -o cvco-reconciled -g cvco-ledger -m 0640 /var/lib/lost/log.backup $state/log.sqlite
install -o cvco-reconciled -g cvco-ledger -m 0600 /test/payload.key $state/payload.key
program rebuild >/test/rebuilt
[[ $(program verify) == right* ]] || fail "what was restored is proven"
systemctl start cvco-reconciled.socket "$unit"
await 20 "everything is folded" folded
[[ $(notifications) == "$calls" ]] || fail "every notification is there again"
traffic --orders 10
step "restored into an empty folder: $calls notifications, proven, and it goes on"

systemctl start cvco-reconciled-verify.service || fail "the proof of the timer"
systemctl enable --now cvco-reconciled-verify.timer 2>/dev/null
step "the weekly proof runs in its sandbox"

# ───────────────────────────── remove ─────────────────────────────

known=$(payments)
dpkg -r cvco-reconciled >/test/dpkg 2>&1 || { cat /test/dpkg; fail "removed"; }
[[ ! -e /usr/bin/cvco-reconciled && -e $config ]] || fail "removal takes the program and leaves the configuration"
[[ $(payments) == "$known" ]] || fail "removal keeps the ledger"
[[ -z $(systemctl list-units --no-legend --state=active,failed 'cvco-*') ]] || fail "nothing of it runs"
step "removed: configuration, log and ledger are kept"
dpkg -P cvco-reconciled >/test/dpkg 2>&1 || { cat /test/dpkg; fail "purged"; }
grep -q "kept $state" /test/dpkg || { cat /test/dpkg; fail "purging says what it keeps"; }
[[ -e $state/log.sqlite && -e $state/payload.key && -e $config ]] || fail "purging keeps log, key and configuration"
step "purged: evidence and configuration are kept, and apt says so"
touch /test/passed
