#!/usr/bin/env bash
# Copies a made-up server with a million messages (or as many as the first argument says) from a file into SQLite, from
# there through PostgreSQL and MongoDB (or the storages that further arguments name) back into SQLite and a file, and
# compares what the copies hash to. Each step prints how long it took and how much memory the process needed. Run it as
# `make copy-million`, which starts the servers. What stands in for MongoDB takes more than an hour for the million.
set -euo pipefail
cd "$(dirname "$0")/.."

messages=${1:-1000000}
through=("${@:2}")
[ ${#through[@]} -gt 0 ] || through=(postgres mongodb)
: "${TEST_POSTGRES_URL:?run make copy-million, or set TEST_POSTGRES_URL}"
: "${TEST_MONGODB_URL:?run make copy-million, or set TEST_MONGODB_URL}"

cargo build --locked --release --package parlance-server --bin parlance --example crowd
parlance=$PWD/target/release/parlance
folder=$(mktemp -d)
name=copy_$$
postgres=$(sed -E "s#^([a-z]+://[^/?]*)(/[^?]*)?#\1/$name#" <<<"$TEST_POSTGRES_URL")
mongo=$(sed -E "s#^([a-z+]+://[^/?]*)(/[^?]*)?#\1/$name#" <<<"$TEST_MONGODB_URL")
psql=${TEST_POSTGRES_BIN:+$TEST_POSTGRES_BIN/}psql
trap '"$psql" "$TEST_POSTGRES_URL" -qc "DROP DATABASE IF EXISTS $name WITH (FORCE)"; rm -rf "$folder"' EXIT
"$psql" "$TEST_POSTGRES_URL" -qc "CREATE DATABASE $name"

step() {
    printf '\n== %s\n' "$1"
    shift
    # The lines of progress go to a file: only how it ended is worth reading.
    "$@" 2>"$folder/progress" | tee -a "$folder/said" || { tail -1 "$folder/progress"; exit 1; }
}

target/release/examples/crowd "$messages" "$folder/crowd.ndjson"
step "file -> SQLite" "$parlance" import --file "$folder/crowd.ndjson" --to "sqlite:$folder/first.db"
last=sqlite:$folder/first.db
for storage in "${through[@]}"; do
    case $storage in
        postgres) next=$postgres ;;
        mongodb) next=$mongo ;;
        *) echo "no storage: $storage"; exit 2 ;;
    esac
    step "-> $storage" "$parlance" copy --from "$last" --to "$next"
    last=$next
done
step "-> SQLite" "$parlance" copy --from "$last" --to "sqlite:$folder/last.db"
step "SQLite -> file" "$parlance" export --from "sqlite:$folder/last.db" --file "$folder/last.ndjson"

hashes=$(sed -n 's/.*sha256 //p' "$folder/said" | sort -u | wc -l)
cmp <(tail -n +2 "$folder/crowd.ndjson" | sed 's/^{"sum":"[0-9a-f]*",//') \
    <(tail -n +2 "$folder/last.ndjson" | sed 's/^{"sum":"[0-9a-f]*",//')
[ "$hashes" = 1 ] || { echo "the copies differ"; exit 1; }
printf '\nall copies hold the same, and the last file has the same records as the first\n'
