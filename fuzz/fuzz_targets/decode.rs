//! Events in each dialect: see `parlance_fuzz_targets::decode`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| parlance_fuzz_targets::decode(data));
