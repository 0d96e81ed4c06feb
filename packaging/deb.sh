#!/usr/bin/env bash
# Makes the Debian package with cargo-deb, and prints where it is and how large. Without an argument it packs a release build,
# stripped; a binary that is given is packed as it is, and in a hurry. PACKAGE is where the package goes (target/debian).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

command -v cargo-deb >/dev/null || { echo "cargo-deb is needed: cargo install --locked cargo-deb" >&2; exit 1; }
options=(--no-strip --fast)
if [ $# -eq 0 ]; then
  options=()
  cargo build --locked --release --package parlance-server
  set -- "${CARGO_TARGET_DIR:-target}/release/parlance"
fi
binary=$(realpath "$1")
package=${PACKAGE:-target/debian}

# cargo-deb takes what it packs out of a target folder: one of its own, so that nothing is built.
target=$(mktemp --directory)
trap 'rm -rf "$target"' EXIT
install -D "$binary" "$target/release/parlance"
mkdir -p "$target/release/completions" "$package"
for shell in bash zsh fish; do
  "$binary" completions "$shell" >"$target/release/completions/$shell"
done
packaging/licences.sh >"$target/release/licences"
CARGO_TARGET_DIR=$target cargo deb --quiet --package parlance-server --no-build "${options[@]}" --output "$package/"

for made in "$binary" "$package"/parlance_*.deb; do
  printf '%10d bytes  %s\n' "$(stat --format %s "$made")" "$made"
done
