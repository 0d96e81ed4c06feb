#!/usr/bin/env bash
# Installs what the client is built from, as the lock file says, unless that is there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
if [ ! -d node_modules ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  npm ci --no-progress --loglevel error
fi
