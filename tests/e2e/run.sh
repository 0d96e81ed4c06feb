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
  if [ "${E2E_STORAGE:-sqlite}" != sqlite ]; then
    # What connections, packets and memory do is the same whatever it is stored in: the embedded storage's run is enough.
    for once in calls clock command-line contract-rows dead-peers dialect-choice errors handshake hostile-events \
      hostile-frames limits openapi presence python storm transports typing webrtc; do
      files=("${files[@]/"suites/$once.test.mjs"}")
    done
    # So is what is between nodes, and before them. `make test-cluster` runs the faults on both.
    if [ "$E2E_STORAGE" = mongodb ]; then
      for once in cluster-balancer cluster-faults cluster-limits cluster-traffic; do
        files=("${files[@]/"suites/$once.test.mjs"}")
      done
    fi
    files=(${files[@]})
  fi
fi

# Each file starts servers of its own on ports of their own, so files run beside each other. The time limit is for
# a test that hangs; it says nothing about speed.
exec node --test --test-concurrency="${E2E_CONCURRENCY:-3}" --test-timeout=400000 --test-reporter="${E2E_REPORTER:-spec}" "${options[@]}" "${files[@]}"
