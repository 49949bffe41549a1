//! Arbitrary paths, queries, headers and bodies: an answer below 500.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| tenure_server_fuzz::call(text));
