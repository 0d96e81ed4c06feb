#!/usr/bin/env bash
# The client's tests: hooks against the real server, then real browsers. PARLANCE_BIN names the server, else the debug
# build is used. Arguments are end-to-end files (default: all). The history is a tenth of its length here; the whole
# 100,000 with HISTORY_MESSAGES=100000 (a minute or more).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
./install.sh
# Servers, people and browsers are those of the end-to-end suite.
if [ ! -d ../../tests/e2e/node_modules ]; then
  npm ci --prefix ../../tests/e2e --no-progress --loglevel error
fi
export HISTORY_MESSAGES="${HISTORY_MESSAGES:-10000}"
if [ $# -eq 0 ]; then
  npm run --silent test
  npm run --silent build -- --logLevel warn
  npm run --silent size
  set -- e2e/*.test.mjs
fi
exec node --test --test-concurrency=1 --test-timeout=400000 --test-reporter="${E2E_REPORTER:-spec}" "$@"
