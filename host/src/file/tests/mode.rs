//! Permissions.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use tenure_core::{Code, bytelog::Disk as _};

use super::temp;
use crate::file::{Folder, FolderOptions};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

pub(super) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn nobody_else_may_read_a_store_unless_asked_for() {
    let home = temp();
    let path = home.path().join("store");
    let mut folder = Folder::open(&path, &FolderOptions::default()).unwrap();
    folder.create("a").unwrap();
    assert_eq!((mode(&path), mode(&path.join("lock")), mode(&path.join("a"))), (0o700, 0o600, 0o600));

    let path = home.path().join("team");
    let options = FolderOptions { file_mode: 0o660, dir_mode: 0o2770, ..FolderOptions::default() };
    let mut folder = Folder::open(&path, &options).unwrap();
    folder.create("a").unwrap();
    assert_eq!(
        (mode(&path), mode(&path.join("lock")), mode(&path.join("a"))),
        (0o2770, 0o660, 0o660),
        "whatever the umask"
    );
}

#[test]
fn a_directory_without_access_is_unavailable_and_says_what_to_do() {
    if is_root() {
        eprintln!("SKIPPED a_directory_without_access_…: root is not bound by permissions; run the tests as a user");
        return;
    }
    let home = temp();
    let path = home.path().join("store");
    drop(Folder::open(&path, &FolderOptions::default()).unwrap());
    for (bits, doing) in [(0o000, "list"), (0o500, "create")] {
        fs::set_permissions(&path, fs::Permissions::from_mode(bits)).unwrap();
        let outcome = Folder::open(&path, &FolderOptions::default()).and_then(|mut folder| folder.create("a"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        let error = outcome.unwrap_err();
        assert_eq!(error.code(), Code::Unavailable);
        assert!(error.message().contains(doing) && error.message().contains("give this user access"), "{error}");
    }
}
