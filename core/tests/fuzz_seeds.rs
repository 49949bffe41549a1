//! The committed seeds of the fuzz targets still mean something: each is read as its name says.

use std::{fs, path::Path};

use tenure_core::entry::Payload;

/// Reads a payload to its end, or says why not.
fn read(bytes: &[u8]) -> Result<usize, tenure_core::Error> {
    Payload::read(bytes)?.try_fold(0, |read, op| op.map(|_| read + 1))
}

#[test]
fn entry_seeds_are_read_or_refused_as_their_names_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/entry");
    let mut seen = (0, 0);
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let answer = read(&fs::read(&path).unwrap());
        if name.starts_with("bad_") {
            seen.1 += 1;
            assert!(answer.is_err(), "{name} is damaged, and was read as {answer:?}");
        } else {
            seen.0 += 1;
            assert!(answer.is_ok(), "{name} is whole, and was refused: {answer:?}");
        }
    }
    assert!(seen.0 >= 5 && seen.1 >= 3, "seeds are missing: {seen:?}");
}
