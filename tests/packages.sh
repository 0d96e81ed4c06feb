#!/usr/bin/env bash
# Installs these packages of Debian.
set -euo pipefail
sudo=$([ "$(id -u)" -eq 0 ] || echo sudo)
# Standard output belongs to whoever called.
{
  $sudo apt-get update -qq
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
} >&2
