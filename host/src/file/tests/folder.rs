//! Names, bytes and shared bytes.

use std::fs;

use tenure_core::{
    Code,
    bytelog::{Disk as _, DiskFile as _},
};

use super::{open, temp};
use crate::file::{Access, Folder, FolderOptions};

#[test]
fn bytes_are_read_where_they_were_written() {
    let dir = temp();
    let mut folder = open(&dir);
    let file = folder.create("00-segment").unwrap();
    assert!(file.is_empty().unwrap());
    file.write_at(0, b"hello").unwrap();
    file.write_at(10, b"world").unwrap();
    file.sync().unwrap();
    folder.sync_names().unwrap();
    let mut into = [0xff; 20];
    assert_eq!(folder.open("00-segment").unwrap().read_at(0, &mut into).unwrap(), 15, "reading ends with the file");
    assert_eq!(&into[..15], b"hello\0\0\0\0\0world");
    assert_eq!(file.read_at(15, &mut into).unwrap(), 0);
    assert_eq!(file.read_at(1 << 40, &mut into).unwrap(), 0);
    file.truncate(3).unwrap();
    assert_eq!(file.len().unwrap(), (3, true));
    file.truncate(8).unwrap();
    assert_eq!(file.read_at(2, &mut into).unwrap(), 6);
    assert_eq!(&into[..6], b"l\0\0\0\0\0");
}

#[test]
fn a_file_that_was_removed_lives_on_without_a_name() {
    let dir = temp();
    let mut folder = open(&dir);
    let file = folder.create("a").unwrap();
    let other = folder.open("a").unwrap();
    file.write_at(0, b"x").unwrap();
    folder.remove("a").unwrap();
    assert_eq!(other.len().unwrap(), (1, false));
    file.write_at(1, b"y").unwrap();
    assert_eq!(file.len().unwrap(), (2, false));
    let missing = folder.open("a").unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
    assert!(missing.message().contains("/a: "), "{missing}");
    assert_eq!(folder.remove("a").unwrap_err().code(), Code::NotFound);
}

#[test]
fn a_rename_takes_the_place_of_what_stands_there() {
    let dir = temp();
    let mut folder = open(&dir);
    folder.create("old").unwrap().write_at(0, b"old").unwrap();
    let replaced = folder.open("old").unwrap();
    folder.create("new").unwrap().write_at(0, b"newer").unwrap();
    folder.rename("new", "old").unwrap();
    folder.sync_names().unwrap();
    assert_eq!(folder.open("old").unwrap().len().unwrap(), (5, true));
    assert_eq!(replaced.len().unwrap(), (3, false));
    assert_eq!(folder.names().unwrap(), ["old"]);
    assert_eq!(folder.rename("new", "old").unwrap_err().code(), Code::NotFound);
}

#[test]
fn a_name_is_created_once() {
    let dir = temp();
    let mut folder = open(&dir);
    folder.create("a").unwrap();
    let again = folder.create("a").unwrap_err();
    assert_eq!(again.code(), Code::Unavailable);
    assert!(again.message().contains("can't create") && again.message().contains("/a: "), "{again}");
}

#[test]
fn the_locks_own_files_are_neither_listed_nor_touched() {
    let dir = temp();
    let mut folder = open(&dir);
    folder.create("b").unwrap();
    folder.create("a").unwrap();
    let mut names = folder.names().unwrap();
    names.sort();
    assert_eq!(names, ["a", "b"]);
    for name in ["lock", "", ".", "..", "../a", "/etc/passwd", "a\\b", "a\0b"] {
        assert_eq!(folder.remove(name).unwrap_err().code(), Code::Invalid, "{name:?}");
        assert_eq!(folder.create(name).unwrap_err().code(), Code::Invalid, "{name:?}");
        assert_eq!(folder.open(name).unwrap_err().code(), Code::Invalid, "{name:?}");
        assert_eq!(folder.rename("a", name).unwrap_err().code(), Code::Invalid, "{name:?}");
    }
}

#[test]
fn shared_bytes_begin_as_zeros_and_are_seen_by_every_handle() {
    let dir = temp();
    let (mut one, mut two) = (open(&dir), open(&dir));
    assert_eq!(one.read_shared().unwrap(), [0; 64]);
    one.write_shared(&[7; 64]).unwrap();
    assert_eq!(two.read_shared().unwrap(), [7; 64]);
    two.lock(0).unwrap();
    let shared = one.shared();
    std::thread::spawn(move || shared.write(&[9; 64])).join().unwrap().unwrap();
    assert_eq!(two.read_shared().unwrap(), [9; 64], "written beside the lock, through another thread");
    two.unlock();
    drop((one, two));
    assert_eq!(open(&dir).read_shared().unwrap(), [9; 64]);
}

#[test]
fn a_handle_that_only_reads_writes_nothing() {
    let dir = temp();
    let mut writer = open(&dir);
    writer.create("a").unwrap().write_at(0, b"abc").unwrap();
    writer.write_shared(&[5; 64]).unwrap();
    writer.lock(0).unwrap();
    let before = listing(dir.path());

    let options = FolderOptions { access: Access::ReadOnly, ..FolderOptions::default() };
    let mut reader = Folder::open(dir.path(), &options).unwrap();
    let file = reader.open("a").unwrap();
    let mut into = [0; 8];
    assert_eq!(file.read_at(0, &mut into).unwrap(), 3);
    assert_eq!(reader.read_shared().unwrap(), [5; 64]);
    assert_eq!(reader.reopen().unwrap().names().unwrap(), ["a"]);
    let refused = [
        reader.lock(0),
        reader.create("b").map(drop),
        reader.remove("a"),
        reader.rename("a", "b"),
        reader.sync_names(),
        reader.write_shared(&[0; 64]),
        reader.shared().write(&[0; 64]),
        file.write_at(0, b"x"),
        file.truncate(0),
        file.sync(),
    ];
    for refused in refused {
        assert_eq!(refused.unwrap_err().code(), Code::ReadOnly);
    }
    reader.unlock();
    assert_eq!(listing(dir.path()), before);

    let empty = temp();
    assert_eq!(Folder::open(empty.path(), &options).unwrap_err().code(), Code::NoStore);
    assert!(listing(empty.path()).is_empty());
}

#[cfg(unix)]
#[test]
fn a_directory_that_is_moved_is_followed_and_its_successor_left_alone() {
    let home = temp();
    let path = home.path().join("store");
    let mut folder = Folder::open(&path, &FolderOptions::default()).unwrap();
    folder.create("a").unwrap();
    fs::rename(&path, home.path().join("moved")).unwrap();
    Folder::open(&path, &FolderOptions::default()).unwrap();
    folder.create("b").unwrap();
    assert!(home.path().join("moved/b").exists() && !path.join("b").exists());
    folder.rename("b", "c").unwrap();
    folder.sync_names().unwrap();
    assert_eq!(folder.names().unwrap().len(), 2);
}

#[test]
fn a_directory_that_is_deleted_while_open_answers_without_a_panic() {
    let home = temp();
    let path = home.path().join("store");
    let mut folder = Folder::open(&path, &FolderOptions::default()).unwrap();
    let file = folder.create("a").unwrap();
    fs::remove_dir_all(&path).unwrap();
    assert!(!file.len().unwrap().1);
    assert_eq!(folder.open("a").unwrap_err().code(), Code::NotFound);
    assert_eq!(folder.create("b").unwrap_err().code(), Code::NotFound);
    assert_eq!(folder.reopen().unwrap_err().code(), Code::NoStore);
    assert!(!path.exists(), "reopening makes nothing");
}

fn listing(path: &std::path::Path) -> Vec<(String, std::time::SystemTime, Vec<u8>)> {
    let mut found: Vec<_> = fs::read_dir(path)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let modified = entry.metadata().unwrap().modified().unwrap();
            (entry.file_name().into_string().unwrap(), modified, fs::read(entry.path()).unwrap())
        })
        .collect();
    found.sort();
    found
}

#[test]
fn errors_of_an_open_file_show_the_name_that_it_has_by_now() {
    let dir = temp();
    let options = FolderOptions { access: Access::ReadOnly, ..FolderOptions::default() };
    drop(open(&dir).create("a.tmp").unwrap());
    let file = Folder::open(dir.path(), &options).unwrap().open("a.tmp").unwrap();
    file.renamed("a.seg");
    let refused = file.write_at(0, b"x").unwrap_err();
    assert!(refused.message().contains("a.seg") && !refused.message().contains("a.tmp"), "{refused}");
}
