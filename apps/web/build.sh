#!/usr/bin/env bash
# Builds the client and prints the folder that the server serves it from (WEB_DIR). Where that cannot be done it says
# what is missing, prints nothing and succeeds: the server runs without a client too.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1

without() {
  echo "The web client is not built: $1. The server starts without it." >&2
  exit 0
}

command -v npm >/dev/null || without "npm is not there (it comes with Node 20.19 or newer)"
node -e 'const [major, minor] = process.versions.node.split(".").map(Number); process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)' ||
  without "Node is $(node --version), and 20.19 or newer is needed"
./install.sh >&2 || without "its packages cannot be installed"
if [ ! -e dist/index.html ] || [ -n "$(find src public index.html package-lock.json vite.config.ts -newer dist/index.html -print -quit)" ]; then
  npm run --silent build -- --logLevel warn >&2 || without "the build failed"
fi
echo "$PWD/dist"
