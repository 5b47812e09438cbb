#!/bin/sh
# Makes the certificates of the tests of src/outbound and of tests/it/tls.rs: ./make.sh in this folder, with OpenSSL 3.
# The authority's own key is thrown away; the server's key proves nothing to anybody.
set -eu
scratch=$(mktemp -d)
trap 'rm -r "$scratch"' EXIT
touch "$scratch/index.txt"

cat > "$scratch/authority.cnf" <<END
[ca]
default_ca = tests
[tests]
database = $scratch/index.txt
new_certs_dir = $scratch
rand_serial = yes
unique_subject = no
default_md = sha256
policy = policy
[policy]
commonName = supplied
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[server]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = serverAuth
subjectAltName = DNS:psp.example, DNS:localhost, IP:127.0.0.1
[other-name]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = serverAuth
subjectAltName = DNS:other.example
END

request() { # key, request, name
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1" -out "$2" -subj "/CN=$3"
}
sign() { # file, request, extensions, until, how
    file=$1 request=$2 extensions=$3 until=$4
    shift 4
    openssl ca -batch -notext -config "$scratch/authority.cnf" -extensions "$extensions" \
        -startdate 20200101000000Z -enddate "$until" -in "$request" -out "$file" "$@"
}
forever=21251231235959Z

request "$scratch/authority.key" "$scratch/authority.csr" "Authority of the tests"
sign authority.pem "$scratch/authority.csr" authority $forever -selfsign -keyfile "$scratch/authority.key"

request server.key "$scratch/server.csr" psp.example
by_authority="-cert authority.pem -keyfile $scratch/authority.key"
# shellcheck disable=SC2086
{
    sign good.pem "$scratch/server.csr" server $forever $by_authority
    sign expired.pem "$scratch/server.csr" server 20201231235959Z $by_authority
    sign other-name.pem "$scratch/server.csr" other-name $forever $by_authority
}
openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out other.key
sign self-signed.pem "$scratch/server.csr" server $forever -selfsign -keyfile server.key
