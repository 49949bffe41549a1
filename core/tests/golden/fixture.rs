//! The golden stores as folders of files.

use std::{env, fs, path::PathBuf};

use tenure_core::{bytelog::Disk, testing::SimDisk};

/// A golden store.
pub struct Case {
    /// The folder's name.
    pub name: &'static str,
    /// What makes it: always the same bytes.
    pub make: fn() -> SimDisk,
}

pub use crate::cases::CASES;

/// Where the golden stores lie.
pub fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/v1")
}

/// Where the lock file has the bytes that all handles share.
const SHARED_AT: usize = 64;

/// Writes a folder as the file journal has it: the shared bytes stand in the lock file.
pub fn write(case: &Case, disk: &SimDisk) {
    let folder = fixtures().join(case.name);
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    for name in disk.files() {
        fs::write(folder.join(&name), disk.bytes(&name)).unwrap();
    }
    let mut lock = vec![0; 128];
    lock[8..16].copy_from_slice(b"TENURELK");
    lock[SHARED_AT..].copy_from_slice(&disk.process().read_shared().unwrap());
    fs::write(folder.join("lock"), lock).unwrap();
}

/// A golden store on a simulated disk.
pub fn read(case: &Case) -> SimDisk {
    let disk = SimDisk::new();
    for entry in fs::read_dir(fixtures().join(case.name)).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        match path.file_name().unwrap().to_str().unwrap() {
            "lock" => disk.process().write_shared(bytes[SHARED_AT..].try_into().unwrap()).unwrap(),
            name => disk.edit(name, |file| *file = bytes),
        }
    }
    disk
}
