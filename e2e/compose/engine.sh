#!/usr/bin/env bash
# Runs a command with a Docker engine and docker compose:
#
#	e2e/compose/engine.sh COMMAND...
#
# Where none runs, root gets one: apt installs docker.io, and dockerd runs as
# long as the command does. Where docker has no compose, it is built from its
# Go module, into ROLEPASS_CACHE.
set -euo pipefail
: "${ROLEPASS_CACHE:?run this through make, or .ci/run}"
COMPOSE=v2.40.3
dockerd=

finish() {
	local status=$?
	trap - EXIT
	if [ -n "$dockerd" ]; then
		kill "$dockerd" 2>/dev/null || true
		wait "$dockerd" 2>/dev/null || true
	fi
	exit "$status"
}

engine() {
	docker info >/dev/null 2>&1 && return
	[ "$(id -u)" = 0 ] || {
		echo "No Docker engine answers (docker info). Start one that $(id -un) may use, or run this as root, which starts one."
		return 1
	}
	if ! command -v dockerd >/dev/null; then
		command -v apt-get >/dev/null || {
			echo "No Docker engine answers, and there is no dockerd, nor apt-get to install it: install Docker."
			return 1
		}
		apt-get update -q
		DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends docker.io iptables
	fi
	rm -f /var/run/docker.pid
	setsid dockerd >"$ROLEPASS_CACHE/logs/dockerd.log" 2>&1 &
	dockerd=$!
	trap finish EXIT
	for _ in $(seq 1 120); do
		docker info >/dev/null 2>&1 && return
		kill -0 "$dockerd" 2>/dev/null || break
		sleep 0.5
	done
	echo "dockerd does not start: it needs root in a kernel with overlayfs, iptables and control groups, as most containers do not have. It says:"
	tail -n 20 "$ROLEPASS_CACHE/logs/dockerd.log"
	return 1
}

plugin() {
	docker compose version >/dev/null 2>&1 && return
	export DOCKER_CONFIG=$ROLEPASS_CACHE/docker
	docker compose version >/dev/null 2>&1 && return
	echo "docker has no compose: building $COMPOSE"
	local wrapper
	wrapper=$(mktemp -d)
	# A module of its own: compose's go.mod has exclusions, which go install
	# does not take.
	(
		cd "$wrapper"
		export GOFLAGS=-mod=mod GOWORK=off CGO_ENABLED=0
		go mod init wrapper
		go get "github.com/docker/compose/v2/cmd@$COMPOSE"
		go build -trimpath -ldflags "-s -w -X github.com/docker/compose/v2/internal.Version=$COMPOSE" \
			-o "$DOCKER_CONFIG/cli-plugins/docker-compose" github.com/docker/compose/v2/cmd
	) >"$ROLEPASS_CACHE/logs/docker-compose.log" 2>&1 || {
		tail -n 20 "$ROLEPASS_CACHE/logs/docker-compose.log"
		return 1
	}
	rm -rf "$wrapper"
	docker compose version
}

mkdir -p "$ROLEPASS_CACHE/logs"
engine
plugin
"$@"
