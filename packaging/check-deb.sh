#!/usr/bin/env bash
# Shows that the Debian package holds what a machine needs: packs a binary (argument, or a release build), unpacks the package
# into a folder, and starts the server out of there with the environment of its unit. Where lintian and systemd are here,
# they have their say.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

folder=$(mktemp --directory)
server=
finish() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  rm -rf "$folder"
}
trap finish EXIT

PACKAGE=$folder packaging/deb.sh "$@"
deb=$(echo "$folder"/parlance_*.deb)
root=$folder/root
dpkg-deb --info "$deb"
dpkg-deb --extract "$deb" "$root"

expect() { # mode, path
  [ "$(stat --format %a "$root/$2")" = "$1" ] || { echo "$2 is not there with mode $1" >&2; exit 1; }
}
expect 755 usr/bin/parlance
expect 600 etc/parlance/environment
expect 644 usr/share/doc/parlance/README.md
expect 644 usr/share/doc/parlance/installing.md
expect 644 usr/share/doc/parlance/copyright
expect 644 usr/share/doc/parlance/licences
grep --quiet '^== LICENSE-MIT, of .*serde-1' "$root/usr/share/doc/parlance/licences"
expect 644 usr/share/bash-completion/completions/parlance
unit=$(find "$root" -name parlance.service)
[ -n "$unit" ] || { echo "there is no unit" >&2; exit 1; }
dpkg-deb --ctrl-tarfile "$deb" | tar --extract --to-stdout ./postinst | grep --quiet 'adduser --system'
dpkg-deb --ctrl-tarfile "$deb" | tar --extract --to-stdout ./conffiles | grep --quiet --line-regexp /etc/parlance/environment
if command -v systemd-analyze >/dev/null; then
  # Its user is made when the package is configured, which is not done here.
  sed "s|/usr/bin/parlance|$root&|; /^User=/d; /^Documentation=/d" "$unit" >"$folder/parlance.service"
  systemd-analyze verify --man=no "$folder/parlance.service"
fi
if command -v lintian >/dev/null; then lintian --tag-display-limit 0 "$deb" || true; fi

# What the unit sets, then what its file of settings does.
mapfile -t settings < <(sed --quiet 's/^Environment=//p' "$unit" | tr ' ' '\n'; grep '^[A-Z]' "$root/etc/parlance/environment" || true)
mkdir -p "$folder/state"
port=$((20000 + RANDOM % 20000))
parlance=(env --ignore-environment "${settings[@]}" DATA_DIR="$folder/state" LISTEN="127.0.0.1:$port"
  ACCESS_TOKEN_SECRET=a-secret-of-this-check-long-enough "$root/usr/bin/parlance")
"${parlance[@]}" check-config >/dev/null
"${parlance[@]}" serve >"$folder/said" 2>"$folder/log" &
server=$!
for _ in $(seq 100); do
  grep --quiet listening "$folder/said" && break
  sleep 0.1
done
"${parlance[@]}" health
kill "$server"
wait "$server"
server=
echo "the server in the package starts, is ready, and ends in order"
