//! Arbitrary bytes on a connection: an answer below 500, or none, and the next connection is served.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| tenure_server_fuzz::connection(bytes));
