//! Queries of the HTTP API: see `parlance_fuzz_targets::query`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| parlance_fuzz_targets::query(data));
