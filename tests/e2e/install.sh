#!/usr/bin/env bash
# Installs what these tests and the web client's need: packages as the lock file says, Chromium, tools and load balancers
# of Debian, and Python's client in a virtual environment.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

if [ ! -d node_modules ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  npm ci --no-progress --loglevel error
fi

missing=()
[ -n "${PARLANCE_E2E_CHROMIUM:-}" ] || [ -x /usr/bin/chromium ] || missing+=(chromium)
command -v ip >/dev/null || missing+=(iproute2)
command -v curl >/dev/null || missing+=(curl)
command -v openssl >/dev/null || missing+=(openssl)
command -v systemd-analyze >/dev/null || missing+=(systemd)
compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1' >/dev/null || missing+=(libfaketime)
for balancer in nginx haproxy; do
  [ -x "/usr/sbin/$balancer" ] || missing+=("$balancer")
done
[ -n "${PARLANCE_E2E_PYTHON:-}" ] || python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
[ ${#missing[@]} -eq 0 ] || ../packages.sh "${missing[@]}"

if [ -z "${PARLANCE_E2E_PYTHON:-}" ] && { [ ! -x .venv/bin/python ] || [ requirements.txt -nt .venv/.installed ]; }; then
  python3 -m venv .venv
  .venv/bin/pip install --quiet --disable-pip-version-check -r requirements.txt
  touch .venv/.installed
fi
