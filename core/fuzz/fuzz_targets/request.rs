//! Arbitrary text as a request, a claim and a list of tasks: read, or refused as invalid with a message.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tenure_core::{
    Kind, Result,
    json::{read_claim, read_request, read_task_refs},
};

fn refused_as_invalid<T>(answer: Result<T>) {
    if let Err(error) = answer {
        assert_eq!(error.kind(), Kind::Invalid, "{error}");
        assert!(!error.message().is_empty());
    }
}

fuzz_target!(|text: &[u8]| {
    refused_as_invalid(read_request(text));
    refused_as_invalid(read_claim(text));
    refused_as_invalid(read_task_refs(text));
});
