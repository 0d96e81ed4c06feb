#!/usr/bin/env bash
# Installs whatever tests need from elsewhere and is missing. Every suite does so for itself; all at once is for CI, which
# does it while the compiler works.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
python3 services/tools.py
e2e/install.sh
