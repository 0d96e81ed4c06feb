#!/usr/bin/env bash
# Prints what the binary is made of: each crate that is linked into it with its licence, then the texts of the licences as
# the crates bring them, each text once with those that bring it. Most of them ask to go wherever a binary goes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
shopt -s nullglob

registry=${CARGO_HOME:-$HOME/.cargo}/registry/src
# A line for each crate of others: name, version, licence.
crates=$(cargo tree --locked --package parlance-server --edges normal,no-proc-macro --prefix none --format '{p} {l}' |
  sed --quiet '/ (\//d; s/ (\*)$//; s/^\([^ ]*\) v/\1 /p' | LC_ALL=C sort --unique)

printf 'Parlance is made of its own crates and of these:\n\n%s\n' "$crates"

texts=()
while read -r name version _; do
  for text in "$registry"/*/"$name-$version"/{LICEN[CS]E,COPYING,COPYRIGHT,NOTICE,UNLICENSE}*; do
    [ ! -f "$text" ] || texts+=("$text")
  done
done <<<"$crates"
[ ${#texts[@]} -gt 0 ] || { echo "no text of a licence is in $registry" >&2; exit 1; }

# Each text once, in the order of who brings it first.
sha256sum "${texts[@]}" | awk '
  { path = substr($0, 67); name = path; sub("/[^/]*$", "", name); sub(".*/", "", name) }
  $1 in bringing { bringing[$1] = bringing[$1] ", " name; next }
  { order[++count] = $1; text[$1] = path; bringing[$1] = name }
  END { for (i = 1; i <= count; i++) print text[order[i]] "\t" bringing[order[i]] }
' | while IFS=$'\t' read -r text brought; do
  printf '\n\n== %s, of %s\n\n' "${text##*/}" "$brought"
  cat "$text"
done
