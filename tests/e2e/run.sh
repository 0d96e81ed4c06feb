#!/usr/bin/env bash
# Installs what the end-to-end suite needs, builds the server unless PARLANCE_BIN names one, and runs the suite.
# Arguments are test files (default: all); everything else is for Node's runner, e.g. --test-name-pattern.
# E2E_STORAGE is the storage of the servers under test: sqlite (default), postgres or mongodb.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
cd "$here"

case "${E2E_STORAGE:-sqlite}" in
  postgres) needed=TEST_POSTGRES_URL ;;
  mongodb) needed=TEST_MONGODB_URL ;;
  *) needed= ;;
esac
if [ -n "$needed" ] && [ -z "${!needed:-}" ]; then
  exec ../services/run "$here/run.sh" "$@"
fi

./install.sh

if [ -z "${PARLANCE_BIN:-}" ]; then
  cargo build --manifest-path "$root/Cargo.toml" --package parlance-server --bin parlance
fi

options=()
files=()
for argument in "$@"; do
  case "$argument" in
    -*) options+=("$argument") ;;
    *) files+=("$argument") ;;
  esac
done
if [ ${#files[@]} -eq 0 ]; then
  files=(suites/*.test.mjs)
  # Each storage has passed the contract of all of them. What is left to show of another than the embedded one is how it
  # bears load, crashes, races and what is in texts, and what several nodes make of it.
  stored=(blocking crash groups hostile-names idempotency media notifications operation ordering receipts revocation server-api
    storage sync)
  case "${E2E_STORAGE:-sqlite}" in
    postgres) stored+=(cluster cluster-balancer cluster-faults cluster-limits cluster-traffic webhooks) ;;
    # The rest of these is between nodes, and before them. `make test-cluster` runs the faults here too.
    mongodb) stored+=(cluster) ;;
    *) stored=() ;;
  esac
  if [ ${#stored[@]} -gt 0 ]; then
    files=("${stored[@]/%/.test.mjs}")
    files=("${files[@]/#/suites/}")
  fi
fi

# Each file starts servers of its own on ports of their own, so files run beside each other. The time limit is for
# a test that hangs; it says nothing about speed.
exec node --test --test-concurrency="${E2E_CONCURRENCY:-3}" --test-timeout="${E2E_TIMEOUT:-400000}" --test-reporter="${E2E_REPORTER:-spec}" "${options[@]}" "${files[@]}"
