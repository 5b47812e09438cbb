#!/usr/bin/env bash
# What a merchant would run instead, measured beside the daemon in one run: nginx with PHP-FPM, and FastAPI under uvicorn, each
# with PostgreSQL and with SQLite (WAL, synchronous=FULL). All get the same signed messages from the same client.
#   benches/peers/run.sh [FOLDER]    FOLDER: on the disk to measure; ROUNDS=how often
# It needs nginx, php-fpm with pdo_pgsql and pdo_sqlite, postgresql, and python3-venv; the Python packages come from PyPI.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
disk=${1:-$root/target}
mkdir -p "$disk"
folder=$(mktemp -d "$disk/peers-XXXXXX")
chmod 755 "$folder"
fpm=$(compgen -c php-fpm | sort -V | tail -1)
postgres=$(find /usr/lib/postgresql -maxdepth 2 -name bin | sort -V | tail -1)
[[ -n $fpm && -n $postgres ]] || { echo "needs php-fpm and postgresql" >&2; exit 3; }

# PostgreSQL and PHP-FPM serve nobody who is root.
as_server=()
if [[ $(id -u) == 0 ]]; then as_server=(runuser -u postgres --); chown -R postgres "$folder"; fi
started=()
finish() {
    for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
    "${as_server[@]}" "$postgres/pg_ctl" -D "$folder/pg" -m fast stop >/dev/null 2>&1 || true
    rm -rf "$folder"
}
trap finish EXIT

venv=$root/target/peers-venv
if [[ ! -x $venv/bin/uvicorn ]]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" -q install 'fastapi==0.165.0' 'uvicorn==0.54.0' 'uvloop==0.23.0' 'eopayment==3.15' \
        'psycopg[binary]==3.3.9' 'psycopg_pool==3.3.3' 'cryptography==50.0.2'
fi

key=BENCHKEYNOTAREAL
cp "$here/ipn.php" "$folder/"
openssl pkey -in "$root/tests/it/support/up2pay-private-key.pem" -pubout -out "$folder/up2pay.pem" 2>/dev/null
table='CREATE TABLE calls (psp TEXT NOT NULL, order_ref TEXT NOT NULL, cents INTEGER NOT NULL, raw TEXT NOT NULL)'
for name in php python; do
    sqlite3 "$folder/$name.sqlite" "PRAGMA journal_mode = WAL; $table" >/dev/null
    if [[ $(id -u) == 0 ]]; then chown postgres "$folder/$name.sqlite"*; fi
done
"${as_server[@]}" "$postgres/initdb" -D "$folder/pg" -A trust -U bench >/dev/null
"${as_server[@]}" "$postgres/pg_ctl" -D "$folder/pg" -w -l "$folder/pg.log" \
    -o "-c listen_addresses= -c unix_socket_directories=$folder -c max_connections=100" start >/dev/null
for name in php python; do
    "$postgres/createdb" -h "$folder" -U bench "$name"
    "$postgres/psql" -q -h "$folder" -U bench -c "$table" "$name"
done

cat >"$folder/fpm.conf" <<CONF
[global]
error_log = $folder/fpm.log
daemonize = no
[www]
listen = $folder/fpm.sock
listen.mode = 0666
pm = static
pm.max_children = 16
pm.max_requests = 0
php_admin_value[opcache.enable] = 1
php_admin_value[opcache.validate_timestamps] = 0
CONF
server() {
    cat <<CONF
    server {
        listen 127.0.0.1:$1 backlog=1024;
        location / {
            include /etc/nginx/fastcgi_params;
            fastcgi_param SCRIPT_FILENAME $folder/ipn.php;
            fastcgi_param PEER_DSN "$2";
            fastcgi_param PEER_FORM_KEY $key;
            fastcgi_param PEER_PUBLIC_KEY $folder/up2pay.pem;
            fastcgi_pass php;
        }
    }
CONF
}
{
    echo "worker_processes auto; pid $folder/nginx.pid; error_log $folder/nginx.log; daemon off;"
    if [[ $(id -u) == 0 ]]; then echo "user postgres;"; fi
    echo "events { worker_connections 4096; }"
    echo "http { access_log off; keepalive_requests 1000000; client_body_temp_path $folder/body; fastcgi_temp_path $folder/fcgi;"
    echo "  upstream php { server unix:$folder/fpm.sock; }"
    server 9401 "pgsql:host=$folder;dbname=php;user=bench"
    server 9402 "sqlite:$folder/php.sqlite"
    echo "}"
} >"$folder/nginx.conf"

"${as_server[@]}" "$fpm" -F -y "$folder/fpm.conf" &
started+=($!)
nginx -c "$folder/nginx.conf" -p "$folder" &
started+=($!)
python() {
    PEER_STORE=$2 PEER_FORM_KEY=$key PEER_PUBLIC_KEY=$folder/up2pay.pem \
        "$venv/bin/uvicorn" --app-dir "$here" --workers 2 --no-access-log --log-level warning --port "$1" app:app &
    started+=($!)
}
python 9403 "host=$folder dbname=python user=bench"
python 9404 "$folder/python.sqlite"
for port in 9401 9402 9403 9404; do
    timeout 30 bash -c "until (exec 3<>/dev/tcp/127.0.0.1/$port) 2>/dev/null; do sleep 0.1; done"
done

peers=(php-postgresql=127.0.0.1:9401 php-sqlite=127.0.0.1:9402 fastapi-postgresql=127.0.0.1:9403 fastapi-sqlite=127.0.0.1:9404)
for _ in $(seq "${ROUNDS:-3}"); do
    (cd "$root" && cargo bench --locked --bench notifications -- "$disk" "${peers[@]}")
done
echo "stored by the peers, which is what they acknowledged:"
for name in php python; do
    echo "  $name-postgresql $("$postgres/psql" -At -h "$folder" -U bench -c 'SELECT count(*) FROM calls' "$name")"
    echo "  $name-sqlite $(sqlite3 "$folder/$name.sqlite" 'SELECT count(*) FROM calls')"
done
