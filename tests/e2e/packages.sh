#!/usr/bin/env bash
# Installs these packages of Debian.
set -euo pipefail
sudo=$([ "$(id -u)" -eq 0 ] || echo sudo)
$sudo apt-get update -qq
$sudo apt-get install -y -qq --no-install-recommends "$@"
