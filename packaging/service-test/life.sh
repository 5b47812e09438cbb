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
# An account that is in the accountants' group and may do nothing else, in a folder of its own.
accountant() { runuser -u comptable -- env -C /home/comptable cvco-reconciled "$@"; }
entries() { sqlite3 -readonly "$state/log.sqlite" "SELECT COUNT(*) FROM log WHERE kind = '$1'"; }
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

cat >>$config <<'BOOKS'

[[statement]]
id = "bank"
issuer = "bank"
since = "2026-01-01"
delimiter = ","
decimal = "."
date = "%Y-%m-%d"
columns = { reference = "reference", authorisation = "autorisation", contract = "contrat", amount = "montant_brut", net = "montant_net", date = "date_operation", paid_on = "date_remise" }
BOOKS
systemctl enable --now cvco-reconciled.socket cvco-reconciled-admin.socket "$unit" 2>/dev/null
is_active || fail "the service starts"
[[ $(ready) == ready* ]] || fail "it is ready"
[[ $(stat -c '%U:%G %a' /run/cvco-reconciled/admin.sock) == "cvco-reconciled:cvco-ledger 660" ]] ||
    fail "systemd holds the admin socket, for the accountants' group"
step "sockets and service are started; ready"

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

# ───────────────────────────── an accountant ─────────────────────────────

useradd --create-home --groups cvco-ledger comptable
! runuser -u comptable -- ls /etc/cvco-reconciled/secrets >/dev/null 2>&1 || fail "the accountant may not see the secrets"
! runuser -u comptable -- cat $state/payload.key >/dev/null 2>&1 || fail "the accountant may not read the payload key"
! runuser -u comptable -- test -w $state/log.sqlite || fail "the accountant may not write the log"
cat >/home/comptable/releve.csv <<'FILE'
date_operation,reference,autorisation,contrat,montant_brut,montant_net,date_remise
2026-03-10,NOBODY,,,10.00,10.00,2026-03-13
FILE
# The line is of no payment that is known: 1 says so.
status=0
accountant statement import --layout bank releve.csv >/test/imported 2>&1 || status=$?
((status == 1)) || { cat /test/imported; fail "an accountant imports a statement"; }
accountant alerts list --format json >/test/alerts
grep -q statement_line_unknown /test/alerts || { cat /test/alerts; fail "she sees what it opened"; }
accountant close --period 2026-02 -o fevrier >/test/closed 2>&1 || { cat /test/closed; fail "an accountant closes a month"; }
[[ -O /home/comptable/fevrier || $(stat -c %U /home/comptable/fevrier/manifeste-2026-02.json) == comptable ]] ||
    fail "the files of the close are hers"
sqlite3 -readonly $state/ledger.sqlite .dump >/dev/null || fail "the ledger can be read"
runuser -u comptable -- sqlite3 -readonly $state/ledger.sqlite 'SELECT COUNT(*) FROM acct_register' >/test/rows ||
    fail "she reads the ledger's views"
step "an accountant, without sudo, imports a statement, closes a month and reads the ledger"

# Months that are due are closed by the timer's unit, beside the running daemon.
closes=$(entries close)
sed -i '0,/^\[accounting\]/{s//[accounting]\nclose_after = "1d"/}' $config
grep -q '^\[accounting\]' $config || printf '\n[accounting]\nclose_after = "1d"\n' >>$config
systemctl reload "$unit"
systemctl start cvco-reconciled-close.service ||
    { journalctl --no-pager -u cvco-reconciled-close.service | tail; fail "the close of the timer"; }
(($(entries close) >= closes)) || fail "no close is lost"
systemctl enable --now cvco-reconciled-close.timer 2>/dev/null
systemctl list-timers --no-legend cvco-reconciled-close.timer | grep -q close || fail "its timer waits"
step "the close of due months runs in its sandbox ($((($(entries close) - closes))) more are closed), and its timer waits"

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
step "a daemon whose appender hangs is killed by the watchdog, and the next one takes calls"

# A fold that hangs keeps no PSP waiting, so it is given its time before the watchdog counts it: calls are taken meanwhile.
/test/hold-thread "$(property MainPID)" ledger-follower >/test/held-fold &
await 10 "the fold hangs" grep -q held /test/held-fold
before=$(property NRestarts)
traffic --orders 10
[[ $(property NRestarts) == "$before" ]] || fail "a fold that hangs for a moment is no reason to restart"
await 20 "the ledger's lag is told" bash -c "! curl -fsS $admin/readyz | grep -q '^ready; 0 entries'"
kill -9 "$(property MainPID)"
await 20 "it comes back" has_restarted "$before"
await 20 "what was taken meanwhile is folded" folded
rm /run/systemd/system/$unit.d/test.conf
systemctl daemon-reload
systemctl restart "$unit"
step "while the fold hangs calls are taken, and the next daemon folds them"

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
systemctl start cvco-reconciled-backup.service || fail "the backup of the timer"
backup=$(find $state/backups -mindepth 1 -maxdepth 1 -type d | sort | tail -n 1)
[[ -e $backup/backup.json ]] || fail "the backup is whole"
cp -p $state/payload.key /test/payload.key
step "the nightly backup ran in its sandbox, while the daemon served"
systemctl stop "$unit" cvco-reconciled.socket cvco-reconciled-admin.socket
mv $state /var/lib/lost
systemd-tmpfiles --create cvco-reconciled.conf
install -o cvco-reconciled -g cvco-ledger -m 0600 /test/payload.key $state/payload.key
# The folder of the machine that was lost, as it would be mounted.
program restore "/var/lib/lost/${backup#"$state/"}" >/test/restored || { cat /test/restored; fail "restore"; }
[[ $(program verify) == "tout est juste"* ]] || fail "what was restored is proven"
systemctl start cvco-reconciled.socket cvco-reconciled-admin.socket "$unit"
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
step "purged, and nobody could be asked: evidence and configuration are kept, and apt says so"
dpkg -i package.deb >/test/dpkg 2>&1 || { cat /test/dpkg; fail "installed again"; }
[[ $(payments) == "$known" ]] || fail "the ledger is still there"
echo 'cvco-reconciled cvco-reconciled/delete-evidence boolean true' | debconf-set-selections
dpkg -P cvco-reconciled >/test/dpkg 2>&1 || { cat /test/dpkg; fail "purged with a yes"; }
[[ ! -e $state && ! -e $config ]] || { cat /test/dpkg; fail "a yes deletes them"; }
step "purged, and the question answered with yes: they are deleted"
touch /test/passed
