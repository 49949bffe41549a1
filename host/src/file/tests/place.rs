//! Paths at which a store can, and can't, be.

use std::{fs, path::Path};

use tenure_core::{Code, Error, bytelog::Disk as _};

use super::temp;
use crate::file::{Folder, FolderOptions, FsType, Place, judge};

fn refusal(path: &Path) -> Error {
    let error = Folder::open(path, &FolderOptions::default()).unwrap_err();
    assert!(error.message().contains(&*path.to_string_lossy()), "names the path: {error}");
    assert!(error.message().contains(": "), "names the next step: {error}");
    error
}

#[test]
fn a_missing_an_empty_and_a_made_directory_are_told_apart() {
    let home = temp();
    let path = home.path().join("store");
    let options = FolderOptions::default();
    assert_eq!(judge(&path, &options).unwrap(), Place::Absent);
    fs::create_dir(&path).unwrap();
    assert_eq!(judge(&path, &options).unwrap(), Place::Empty);
    Folder::open(&path, &options).unwrap();
    assert_eq!(judge(&path, &options).unwrap(), Place::Store);
    fs::write(path.join("other"), b"").unwrap();
    assert_eq!(judge(&path, &options).unwrap(), Place::Store);
}

#[test]
fn without_leave_to_create_nothing_is_made() {
    let home = temp();
    let options = FolderOptions { create: false, ..FolderOptions::default() };
    assert_eq!(Folder::open(home.path(), &options).unwrap_err().code(), Code::NoStore);
    let path = home.path().join("store");
    assert_eq!(Folder::open(&path, &options).unwrap_err().code(), Code::NoStore);
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    Folder::open(&path, &FolderOptions::default()).unwrap();
    Folder::open(&path, &options).unwrap();
}

#[test]
fn a_file_is_no_store() {
    let home = temp();
    let file = home.path().join("file");
    fs::write(&file, b"backup").unwrap();
    assert_eq!(refusal(&file).code(), Code::NotAStore);
    assert_eq!(refusal(&file.join("store")).code(), Code::NotAStore);
    assert_eq!(fs::read(&file).unwrap(), b"backup");
}

#[test]
fn a_foreign_directory_is_left_as_it_is() {
    let home = temp();
    fs::write(home.path().join("photo.jpg"), b"x").unwrap();
    let error = refusal(home.path());
    assert_eq!(error.code(), Code::NotAStore);
    assert!(error.message().contains("photo.jpg"), "{error}");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);

    for foreign in [&b"4711\n"[..], b"12345678TENURELX", b"x"] {
        fs::write(home.path().join("lock"), foreign).unwrap();
        assert_eq!(refusal(home.path()).code(), Code::NotAStore, "another program's lock file");
        assert_eq!(fs::read(home.path().join("lock")).unwrap(), foreign);
    }
    fs::remove_file(home.path().join("lock")).unwrap();
    fs::create_dir(home.path().join("lock")).unwrap();
    assert_eq!(refusal(home.path()).code(), Code::NotAStore);
}

#[test]
fn what_systems_leave_behind_is_no_foreign_matter() {
    let home = temp();
    fs::create_dir(home.path().join("lost+found")).unwrap();
    fs::write(home.path().join(".DS_Store"), b"x").unwrap();
    Folder::open(home.path(), &FolderOptions::default()).unwrap();
}

#[test]
fn a_lock_file_that_was_just_created_is_a_store_in_the_making() {
    let home = temp();
    fs::write(home.path().join("lock"), b"").unwrap();
    let mut folder = Folder::open(home.path(), &FolderOptions::default()).unwrap();
    assert_eq!(folder.read_shared().unwrap(), [0; 64]);
    assert_eq!(&fs::read(home.path().join("lock")).unwrap()[8..16], b"TENURELK");
}

#[test]
fn a_missing_directory_above_is_named() {
    let home = temp();
    let error = refusal(&home.path().join("missing/store"));
    assert_eq!(error.code(), Code::NoStore);
    assert!(error.message().contains("missing does not exist"), "{error}");
}

#[test]
fn paths_that_can_not_be_are_invalid() {
    let long = "x".repeat(300);
    for path in ["", "a\0b", &long] {
        let error = Folder::open(Path::new(path), &FolderOptions::default()).unwrap_err();
        assert_eq!(error.code(), Code::Invalid, "{error}");
    }
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_a_broken_one_is_named() {
    use std::os::unix::fs::symlink;
    let home = temp();
    let (link, target) = (home.path().join("link"), home.path().join("target"));
    symlink(&target, &link).unwrap();
    let error = refusal(&link);
    assert_eq!(error.code(), Code::NoStore);
    assert!(error.message().contains("is a link"), "{error}");
    fs::create_dir(&target).unwrap();
    let mut folder = Folder::open(&link, &FolderOptions::default()).unwrap();
    assert_eq!(folder.path(), fs::canonicalize(&target).unwrap());
    fs::remove_file(&link).unwrap();
    folder.create("a").unwrap();
    folder.reopen().unwrap();
}

#[test]
fn shared_file_systems_are_refused_unless_allowed() {
    let home = temp();
    let mut options = FolderOptions { fs_type: |_| FsType::Shared("NFS"), ..FolderOptions::default() };
    for path in [home.path().to_owned(), home.path().join("store")] {
        let error = Folder::open(&path, &options).unwrap_err();
        assert_eq!(error.code(), Code::Unsupported);
        assert!(error.message().contains("NFS") && error.message().contains("local disk"), "{error}");
    }
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    options.allow_shared_fs = true;
    Folder::open(home.path(), &options).unwrap();
    let unknown = FolderOptions { fs_type: |_| FsType::Unknown, ..FolderOptions::default() };
    Folder::open(home.path(), &unknown).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn the_system_tells_a_local_file_system() {
    assert_eq!(crate::file::fs_type(Path::new("/proc/self")), FsType::Local);
    assert_eq!(crate::file::fs_type(Path::new("/missing/path")), FsType::Unknown);
}

#[test]
fn handles_that_make_one_store_at_once_all_get_it() {
    let home = temp();
    let path = home.path().join("store");
    let held = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let mut folder = Folder::open(&path, &FolderOptions::default()).unwrap();
                    folder.lock(10_000).unwrap();
                    folder.unlock();
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).count()
    });
    assert_eq!(held, 8);
}
