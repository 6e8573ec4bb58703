#!/usr/bin/env bash
# Makes local images under the public names of docker-compose.yml, where no
# registry of images can be reached:
#
#	make images-offline
#
# What is in them is what make tools installs, and what apt and Maven serve.
# Their entry points, users and folders are those of the public images as far
# as docker-compose.yml needs them; they are for tests, not for sharing.
# Each image carries a hash of what it was made from, and is left alone while
# that is the same. The authorities that this machine trusts beyond Debian's
# are baked in here, so that our own Dockerfiles need not know of them.
set -euo pipefail
cd "$(dirname "$0")/../.."

: "${ROLEPASS_CACHE:?run this through make}"
: "${ROLEPASS_ENVOY:?run this through make}"
KEYCLOAK=26.7.3
LABEL_STUDIO=$(sed -n 's/^label-studio==\([^;]*\).*/\1/p' e2e/requirements-label-studio.txt)
HERE=e2e/compose/offline
WORK=$ROLEPASS_CACHE/images
export DOCKER_BUILDKIT=0
mkdir -p "$WORK"

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# hash TEXT... is one over what an image is made from.
hash() { printf '%s\n' "$@" | sha256sum | cut -c1-16; }

# has NAME HASH says that the image is there, made from the same; or that it is
# the public one, which is better.
has() {
	local made
	made=$(docker image inspect -f '{{index .Config.Labels "rolepass.offline"}}' "$1" 2>/dev/null) || return 1
	[ "$made" = "$2" ] || [ -z "$made" ]
}

# context FILES... makes an empty folder with these in it, by hard links where
# that can be.
context() {
	rm -rf "$WORK/context"
	mkdir -p "$WORK/context"
	local from to
	while [ $# -gt 0 ]; do
		from=$1 to=$WORK/context/$2
		shift 2
		mkdir -p "$(dirname "$to")"
		cp -aLl "$from" "$to" 2>/dev/null || { rm -rf "$to" && cp -aL "$from" "$to"; }
	done
}

# image NAME DOCKERFILE HASH ARGS... builds it from the context.
image() {
	local name=$1 file=$2 made=$3
	shift 3
	docker build -q --label "rolepass.offline=$made" -f "$HERE/$file" -t "$name" "$@" "$WORK/context" >/dev/null
	rm -rf "$WORK/context"
	echo "$name: made"
}

# base is Debian with this machine's authorities, from its own mirror.
base() {
	local name=debian:bookworm-slim made
	made=$(hash "$(cat /etc/ssl/certs/ca-certificates.crt)" "$(sed -n '/^base()/,/^}/p' "$0")")
	has $name "$made" && return
	command -v debootstrap >/dev/null || { as_root apt-get update -q && as_root apt-get install -q -y --no-install-recommends debootstrap; }
	local root=$WORK/rootfs mirror
	mirror=$(sed -n 's/^URIs: *\([^ ]*\).*/\1/p' /etc/apt/sources.list.d/debian.sources 2>/dev/null | head -n 1)
	as_root rm -rf "$root"
	as_root debootstrap --variant=minbase --include=ca-certificates,curl bookworm "$root" ${mirror:+"$mirror"} >"$WORK/debootstrap.log"
	as_root cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
	as_root rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
	as_root tar -C "$root" -c . | docker import -c 'CMD ["/bin/bash"]' -c "LABEL rolepass.offline=$made" - $name >/dev/null
	as_root rm -rf "$root"
	echo "$name: made"
}

# golang has the modules and the compiled libraries of go.mod with it: our own
# Dockerfile, unchanged, then needs no network, and compiles only our own.
golang() {
	local name=golang:1.26-bookworm made
	made=$(hash "$BASE" "$(go version)" "$(cat go.mod go.sum $HERE/golang.Dockerfile)")
	has $name "$made" && return
	local caches=$WORK/go
	mkdir -p "$caches"
	GOMODCACHE=$caches/pkg/mod GOCACHE=$caches/cache GOFLAGS='-modcacherw -buildvcs=false' CGO_ENABLED=0 \
		GOPROXY="file://$(go env GOMODCACHE)/cache/download,$(go env GOPROXY)" \
		sh -c 'go mod download && go build -trimpath -o /dev/null ./cmd/rolepass && go build -trimpath -o /dev/null ./e2e/stack'
	context "$(go env GOROOT)" go "$caches" caches
	image $name golang.Dockerfile "$made" --build-arg "GOPROXY=$(go env GOPROXY)"
}

envoy() {
	local name=envoyproxy/envoy:v1.40.0 made
	made=$(hash "$BASE" "$(cat e2e/requirements-envoy.txt $HERE/envoy.Dockerfile)")
	has $name "$made" && return
	context "$ROLEPASS_ENVOY" envoy
	image $name envoy.Dockerfile "$made"
}

minio() {
	local name=quay.io/minio/minio:RELEASE.2025-09-07T16-13-09Z made
	made=$(hash "$BASE" "$(sha256sum <"$ROLEPASS_MINIO")" "$(cat $HERE/minio.Dockerfile)")
	has $name "$made" && return
	context "$ROLEPASS_MINIO" minio
	image $name minio.Dockerfile "$made"
}

# label_studio takes the interpreter along: what pip chose depends on its exact
# version.
label_studio() {
	local name=heartexlabs/label-studio:$LABEL_STUDIO made python prefix version packages
	python=$ROLEPASS_CACHE/label-studio/bin/python
	made=$(hash "$BASE" "$("$python" -VV)" "$(cat e2e/requirements-label-studio.txt $HERE/label-studio.Dockerfile)")
	has "$name" "$made" && return
	read -r prefix version packages < <("$python" -c 'import sys, sysconfig; print(sys.base_prefix, "python%d.%d" % sys.version_info[:2], sysconfig.get_paths()["purelib"])')
	context "$packages" site-packages "$(readlink -f "$python")" python/bin/python3
	mkdir "$WORK/context/python/lib"
	cp -a "$prefix"/lib/libpython3*.so* "$WORK/context/python/lib" 2>/dev/null || true # where it is apart
	tar -C "$prefix/lib" --exclude=site-packages --exclude=dist-packages --exclude=test --exclude='config-*' --exclude=__pycache__ -c "$version" | tar -C "$WORK/context/python/lib" -x
	image "$name" label-studio.Dockerfile "$made"
}

keycloak() {
	local name=quay.io/keycloak/keycloak:$KEYCLOAK made
	made=$(hash "$BASE" "$KEYCLOAK" "$(cat $HERE/keycloak.Dockerfile)")
	has $name "$made" && return
	local zip=$WORK/keycloak-quarkus-dist-$KEYCLOAK.zip
	[ -f "$zip" ] || mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy \
		-Dartifact=org.keycloak:keycloak-quarkus-dist:$KEYCLOAK:zip -DoutputDirectory="$WORK"
	rm -rf "$WORK/unpacked"
	python3 -m zipfile -e "$zip" "$WORK/unpacked"
	context "$WORK/unpacked/keycloak-$KEYCLOAK" keycloak
	rm -rf "$WORK/unpacked"
	image $name keycloak.Dockerfile "$made"
}

base
BASE=$(docker image inspect -f '{{.Id}}' debian:bookworm-slim)
for one in envoy minio keycloak label_studio golang; do $one; done
