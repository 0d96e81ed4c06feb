#!/usr/bin/env bash
# Runs the fuzzers one after the other, each for FUZZ_SECONDS (600), from the corpora that are kept; arguments are those
# that are wanted (all). What is new goes into target/corpus; what breaks something into artifacts, by which it is
# repeated: fuzz/run.sh TARGET with the file beside it as FUZZ_INPUT.
# What is worth keeping of a long run: the target itself with -set_cover_merge=1 NEW_FOLDER corpus/TARGET target/corpus/TARGET; at
# most fifty of them, all small, since the tests feed them too.
# The compiler that builds the server does it, too: coverage needs no other, sanitizers would, and nothing here is unsafe.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
command -v cargo-fuzz >/dev/null || cargo install --locked cargo-fuzz
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(decode cursor token query multipart packets)
export RUSTC_BOOTSTRAP=1
for target in "${targets[@]}"; do
  mkdir -p "target/corpus/$target"
  if [ -n "${FUZZ_INPUT:-}" ]; then
    cargo fuzz run --sanitizer none "$target" "$FUZZ_INPUT"
  else
    # One slow answer is no hang: the limit is a minute.
    cargo fuzz run --sanitizer none "$target" "target/corpus/$target" "corpus/$target" -- \
      -max_total_time="${FUZZ_SECONDS:-600}" -max_len=4096 -timeout=60 -print_final_stats=1
  fi
done
