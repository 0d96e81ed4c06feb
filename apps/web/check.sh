#!/usr/bin/env bash
# What must hold of the client before anything is merged, short of tests: formatting, lints, types.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
./install.sh
npm run --silent lint
npm run --silent typecheck
