#!/usr/bin/env bash
# The client's tests: hooks against the real server, then real browsers, two files beside each other. PARLANCE_BIN names
# the server, else the debug build is used. Arguments are end-to-end files (default: all).
# The history has a twentieth of its length here; `make test-history` scrolls all of it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# It says itself what is missing.
[ -n "$(./build.sh)" ] || exit 1
# Servers, people and browsers are those of the end-to-end suite.
../../tests/e2e/install.sh
export HISTORY_MESSAGES="${HISTORY_MESSAGES:-5000}"
if [ $# -eq 0 ]; then
  npm run --silent size
  npm run --silent test
  set -- e2e/*.test.mjs
fi
exec node --test --test-concurrency="${E2E_CONCURRENCY:-2}" --test-timeout=400000 --test-reporter="${E2E_REPORTER:-spec}" "$@"
