#!/usr/bin/env bash
# Installs what everybody needs who uses `support/`: packages as the lock file says, and Debian's Chromium.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

if [ ! -d node_modules ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  npm ci --no-progress --loglevel error
fi

if [ -z "${PARLANCE_E2E_CHROMIUM:-}" ] && [ ! -x /usr/bin/chromium ]; then
  ./packages.sh chromium
fi
