//! A payload of arbitrary bytes is read to its end or refused. What was read is written and read again the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tenure_core::entry::{Payload, write_head, write_op};

fuzz_target!(|bytes: &[u8]| {
    let Ok(payload) = Payload::read(bytes) else { return };
    let head = payload.head.clone();
    let Ok(ops) = payload.collect::<Result<Vec<_>, _>>() else { return };
    assert_eq!(ops.len(), head.ops as usize, "a payload gave another number of ops than its head says");

    let mut written = Vec::new();
    write_head(&mut written, &head);
    for op in &ops {
        write_op(&mut written, op);
    }
    let again = Payload::read(&written).expect("what was written can be read");
    assert_eq!(again.head, head);
    assert_eq!(again.collect::<Result<Vec<_>, _>>().expect("what was written can be read"), ops);
});
