//! Tokens, and claims under a good signature: see `parlance_fuzz_targets::token`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| parlance_fuzz_targets::token(data));
