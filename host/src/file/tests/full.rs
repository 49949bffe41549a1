//! Full and read-only file systems.

use std::process::Command;

use tenure_core::{
    Code,
    bytelog::{Disk as _, DiskFile as _},
};

use super::{mode::is_root, temp};
use crate::file::{Access, Folder, FolderOptions};

/// A small file system in memory, gone with the value. Needs root.
struct Tmpfs(tempfile::TempDir);

impl Tmpfs {
    fn mount(test: &str) -> Option<Self> {
        let dir = temp();
        let mounted = is_root()
            && Command::new("mount")
                .args(["-t", "tmpfs", "-o", "size=256k", "none"])
                .arg(dir.path())
                .status()
                .is_ok_and(|status| status.success());
        if !mounted {
            eprintln!("SKIPPED {test}: only root can mount a small tmpfs; run the tests as root for it");
        }
        mounted.then(|| Self(dir))
    }

    fn remount(&self, option: &str) {
        let status = Command::new("mount").args(["-o", option]).arg(self.0.path()).status().unwrap();
        assert!(status.success());
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_is_no_space_and_what_was_written_stays() {
    let Some(disk) = Tmpfs::mount("a_full_disk_…") else { return };
    let mut folder = Folder::open(disk.0.path(), &FolderOptions::default()).unwrap();
    let file = folder.create("a").unwrap();
    let block = [7; 10_000];
    let mut at = 0;
    let error = loop {
        match file.write_at(at, &block) {
            Ok(()) => at += 10_000,
            Err(error) => break error,
        }
    };
    assert_eq!(error.code(), Code::NoSpace);
    assert!(error.message().contains("/a: ") && error.message().contains("free some space"), "{error}");
    assert!(at > 0 && file.len().unwrap().0 >= at);
    file.truncate(at).unwrap();
    let mut into = [0; 10_000];
    assert_eq!(file.read_at(at - 10_000, &mut into).unwrap(), 10_000);
    assert_eq!(into, block);
    folder.lock(0).unwrap();
    folder.unlock();
    folder.reopen().unwrap();
    file.truncate(0).unwrap();
    file.write_at(0, &block).unwrap();
}

#[test]
fn a_read_only_file_system_is_unavailable_to_write_and_good_to_read() {
    let Some(disk) = Tmpfs::mount("a_read_only_file_system_…") else { return };
    Folder::open(disk.0.path(), &FolderOptions::default()).unwrap().create("a").unwrap();
    disk.remount("remount,ro");
    let error = Folder::open(disk.0.path(), &FolderOptions::default()).unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    assert!(error.message().contains("to read only"), "{error}");
    let options = FolderOptions { access: Access::ReadOnly, ..FolderOptions::default() };
    assert_eq!(Folder::open(disk.0.path(), &options).unwrap().names().unwrap(), ["a"]);
}
