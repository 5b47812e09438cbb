#!/usr/bin/env bash
# Makes packaging/out/cvco-reconciled-VERSION-oci.tar: an OCI image of the program, the C library and the certificates of
# Debian's packages, without a shell, and without docker. The same commit and the same Debian packages give the same bytes.
#   skopeo copy oci-archive:FILE docker://REGISTRY/NAME    or: podman load -i FILE
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
name=cvco-reconciled
user=10001
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
oci=$work/oci
mkdir -p "$root" "$oci/blobs/sha256" "$work/debs"

# The C library is that of the machine that built the program.
(cd "$work/debs" && apt-get download -qq libc6 libgcc-s1 ca-certificates)
for deb in "$work"/debs/*.deb; do dpkg-deb --extract "$deb" "$root"; done
mkdir -p "$root/etc/ssl/certs"
find "$root/usr/share/ca-certificates" -name '*.crt' | LC_ALL=C sort | xargs cat >"$root/etc/ssl/certs/ca-certificates.crt"
rm -rf "$root"/usr/share/{doc,lintian,man,locale,ca-certificates,bash-completion} "$root/usr/lib/x86_64-linux-gnu/gconv" \
    "$root"/usr/{bin,sbin} "$root/sbin" "$root/etc/ca-certificates" "$root/etc/ld.so.conf.d/fakeroot"*

install -D -m 0755 "$BINARY" "$root/usr/bin/$name"
install -D -m 0644 config.example.toml "$root/etc/$name/config.example.toml"
install -d -m 0750 "$root/var/lib/$name"
install -d -m 1777 "$root/tmp"
echo "$name:x:$user:$user::/var/lib/$name:/usr/sbin/nologin" >"$root/etc/passwd"
echo "$name:x:$user:" >"$root/etc/group"
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"

tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --format=gnu -C "$root" \
    --exclude="./var/lib/$name" -cf "$work/layer.tar" .
tar --mtime="@$SOURCE_DATE_EPOCH" --owner=$user --group=$user --numeric-owner --format=gnu -C "$root" \
    -rf "$work/layer.tar" "./var/lib/$name"

# Puts a file among the blobs; its digest and size for who refers to it.
blob() {
    local digest
    digest=$(sha256sum "$1" | cut -d ' ' -f 1)
    cp "$1" "$oci/blobs/sha256/$digest"
    printf '"digest": "sha256:%s", "size": %s' "$digest" "$(stat -c %s "$1")"
}

created=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)
commit=$(git rev-parse HEAD 2>/dev/null || echo unknown)
diff_id=$(sha256sum "$work/layer.tar" | cut -d ' ' -f 1)
gzip -9n "$work/layer.tar"
cat >"$work/config.json" <<JSON
{"created": "$created", "architecture": "amd64", "os": "linux",
 "config": {"User": "$user:$user", "WorkingDir": "/var/lib/$name",
  "Entrypoint": ["/usr/bin/$name", "--config", "/etc/$name/config.toml"], "Cmd": ["serve"],
  "ExposedPorts": {"8080/tcp": {}, "8081/tcp": {}}, "Volumes": {"/var/lib/$name": {}}, "StopSignal": "SIGTERM",
  "Labels": {"org.opencontainers.image.title": "$name", "org.opencontainers.image.version": "$version",
   "org.opencontainers.image.revision": "$commit", "org.opencontainers.image.licenses": "MIT OR Apache-2.0"}},
 "rootfs": {"type": "layers", "diff_ids": ["sha256:$diff_id"]},
 "history": [{"created": "$created", "created_by": "packaging/image.sh"}]}
JSON
cat >"$work/manifest.json" <<JSON
{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
 "config": {"mediaType": "application/vnd.oci.image.config.v1+json", $(blob "$work/config.json")},
 "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", $(blob "$work/layer.tar.gz")}]}
JSON
cat >"$oci/index.json" <<JSON
{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
 "manifests": [{"mediaType": "application/vnd.oci.image.manifest.v1+json", $(blob "$work/manifest.json"),
  "annotations": {"org.opencontainers.image.ref.name": "$version"}}]}
JSON
echo '{"imageLayoutVersion": "1.0.0"}' >"$oci/oci-layout"

out=packaging/out/$name-$version-oci.tar
tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --mode=go=rX,u+rw,a-s --format=gnu \
    -C "$oci" -cf "$out" .
echo "$out"
