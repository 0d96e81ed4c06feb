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

if [ -z "${PARLANCE_E2E_PYTHON:-}" ]; then
  if [ ! -x .venv/bin/python ] || [ requirements.txt -nt .venv/.installed ]; then
    if ! python3 -c 'import ensurepip' 2>/dev/null; then
      ./packages.sh python3-venv
    fi
    python3 -m venv .venv
    .venv/bin/pip install --quiet -r requirements.txt
    touch .venv/.installed
  fi
fi

if ! command -v ip >/dev/null; then
  ./packages.sh iproute2
fi

if ! compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1' >/dev/null; then
  ./packages.sh libfaketime
fi

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
    # What connections and packets do is the same whatever it is stored in: the embedded storage's run is enough.
    for once in clock contract-rows dead-peers dialect-choice hostile-frames storm transports webrtc; do
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

if [ "${E2E_STORAGE:-sqlite}" != sqlite ] && [[ "${files[*]}" == *cluster-balancer* ]]; then
  for balancer in nginx haproxy; do
    [ -x "/usr/sbin/$balancer" ] || ./packages.sh "$balancer"
  done
fi

# Each file starts servers of its own on ports of their own, so files run beside each other. The time limit is for
# a test that hangs; it says nothing about speed.
exec node --test --test-concurrency="${E2E_CONCURRENCY:-3}" --test-timeout=400000 --test-reporter="${E2E_REPORTER:-spec}" "${options[@]}" "${files[@]}"
