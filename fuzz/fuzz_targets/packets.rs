//! Packets through a real socket: see `parlance_fuzz_targets::packets`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| parlance_fuzz_targets::packets(data));
