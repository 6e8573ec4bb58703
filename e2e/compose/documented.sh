#!/usr/bin/env bash
# Runs the commands of docs/attach-compose.md as they are written, one after the
# other, as a project of its own, and asks the address that the page names.
set -euo pipefail
cd "$(dirname "$0")/../.."
PAGE=docs/attach-compose.md
export COMPOSE_PROJECT_NAME=rolepass-documented # and not what somebody else has up

[ ! -e ca.crt ] || { echo "ca.crt is here already, and $PAGE writes it: move it away"; exit 1; }

finish() {
	local status=$?
	[ "$status" = 0 ] || docker compose -f e2e/docker-compose.yml ps --all
	docker compose -f e2e/docker-compose.yml down --volumes >/dev/null 2>&1 || status=1
	rm -f ca.crt
	exit "$status"
}
trap finish EXIT

commands=$(awk '/^```sh$/ { on = 1; next } /^```$/ { on = 0 } on' "$PAGE")
[ "$(grep -c '^docker compose ' <<<"$commands")" -ge 4 ] || { echo "$PAGE has fewer commands than it had: look at $0"; exit 1; }
echo "the commands of $PAGE"
bash -euo pipefail -c "$commands" >"$ROLEPASS_CACHE/logs/documented.log" 2>&1 || {
	tail -n 40 "$ROLEPASS_CACHE/logs/documented.log"
	exit 1
}
for account in radiologist researcher; do
	grep -q "$account .*password demo-$account" "$ROLEPASS_CACHE/logs/documented.log" || { echo "the seed does not say how $account signs in"; exit 1; }
done
to=$(curl -sS -o /dev/null -w '%{http_code} %{redirect_url}' --cacert ca.crt https://localhost:8443/)
[[ "$to" == "303 https://127.0.0.1:8444/realms/hospital/"* ]] || { echo "https://localhost:8443 answers $to, and not with the way to the identity provider"; exit 1; }
curl -fsS -o /dev/null --cacert ca.crt "${to#303 }"
echo "they run as written, and the front page leads to the login page"
