//! Cursors, places and ids: see `parlance_fuzz_targets::cursor`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| parlance_fuzz_targets::cursor(data));
