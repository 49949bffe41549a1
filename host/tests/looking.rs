//! A handle that only looks, and one that meets a newer program's store.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
};

use tenure::{
    Author, Code, Kind, Limits, Options, OwnerId, SnapshotPolicy, Store, StoreId,
    core::{
        bytelog::{self, ByteLog},
        driver::Driver,
        engine::Setup,
    },
    file::{Folder, FolderOptions},
};

/// Every name with its bytes, and all that would tell that somebody wrote.
fn picture(place: &Path) -> BTreeMap<String, (Vec<u8>, i64, i64, i64, i64)> {
    let mut picture = BTreeMap::new();
    for entry in fs::read_dir(place).unwrap() {
        let entry = entry.unwrap();
        let found = entry.metadata().unwrap();
        let times = (found.mtime(), found.mtime_nsec(), found.ctime(), found.ctime_nsec());
        let name = entry.file_name().into_string().unwrap();
        picture.insert(name, (fs::read(entry.path()).unwrap(), times.0, times.1, times.2, times.3));
    }
    let found = fs::metadata(place).unwrap();
    picture.insert(".".into(), (Vec::new(), found.mtime(), found.mtime_nsec(), found.ctime(), found.ctime_nsec()));
    picture
}

fn fill(place: &Path) -> (tenure::Revision, u64) {
    let store = Options::new().segment_bytes(4 << 10).open(place).unwrap();
    let tasks = store.add_many("map", (0..100).map(|i| i.to_string())).unwrap();
    store.snapshot().unwrap();
    store.finish(&tasks[0]).unwrap();
    store.put("t", "k", "v").unwrap();
    let digest = store.digest().unwrap();
    store.close().unwrap();
    digest
}

#[test]
fn a_handle_that_only_looks_writes_nothing_not_even_a_lock() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("s");
    let digest = fill(&place);
    // Also where what a crash left would have to be mended, and where nobody may write.
    let last = fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().path());
    let last = last.filter(|path| path.extension().is_some_and(|ending| ending == "seg")).max().unwrap();
    let mut bytes = fs::read(&last).unwrap();
    bytes.extend([7; 33]);
    fs::write(&last, bytes).unwrap();
    for entry in fs::read_dir(&place).unwrap() {
        fs::set_permissions(entry.unwrap().path(), fs::Permissions::from_mode(0o400)).unwrap();
    }
    fs::set_permissions(&place, fs::Permissions::from_mode(0o500)).unwrap();
    let before = picture(&place);
    let store = Options::new().read_only(true).open(&place).unwrap();
    assert_eq!(store.digest().unwrap(), digest);
    assert_eq!(store.group("map").unwrap().tasks, 99);
    assert_eq!(store.get("t", "k").unwrap().unwrap().value.text(), Some("v"));
    assert_eq!(store.tasks(&tenure::Filter::default()).unwrap().len(), 99);
    assert!(store.stats().unwrap().journal.journal_bytes > 3000);
    for error in [
        store.add("map", "x").unwrap_err(),
        store.claim(&["map"], std::time::Duration::from_secs(1)).unwrap_err(),
        store.snapshot().unwrap_err(),
    ] {
        assert_eq!(error.code(), Code::ReadOnly, "{error}");
    }
    store.flush().unwrap();
    store.close().unwrap();
    assert_eq!(picture(&place), before);
    fs::set_permissions(&place, fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn a_handle_that_only_looks_makes_no_store_where_there_is_none() {
    let folder = tempfile::tempdir().unwrap();
    for place in [folder.path().join("s"), folder.path().to_path_buf()] {
        let error = Options::new().read_only(true).open(place).unwrap_err();
        assert_eq!(error.kind(), Kind::NotFound, "{error}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_handle_that_only_looks_at_a_store_which_is_written_sees_a_prefix_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("s");
    let policy = SnapshotPolicy { automatic: false, ..SnapshotPolicy::default() };
    let store = Options::new().segment_bytes(4 << 10).snapshots(policy).open(&place).unwrap();
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            for i in 0..400_u64 {
                store.add("map", i.to_string()).unwrap();
                if i % 50 == 49 {
                    store.snapshot().unwrap();
                }
            }
        });
        while !writing.is_finished() {
            let looking = Options::new().read_only(true).open(&place).unwrap();
            let tasks = looking.tasks(&tenure::Filter { limit: 1000, ..tenure::Filter::default() }).unwrap();
            for (i, task) in tasks.iter().enumerate() {
                assert_eq!(task.data.text(), Some(&*i.to_string()));
            }
        }
    });
}

#[test]
fn a_running_handle_that_meets_a_higher_format_level_closes_and_touches_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("s");
    let store = Store::open(&place).unwrap();
    let task = store.add("map", "x").unwrap();
    // A newer program upgrades the store beside it.
    let disk = Folder::open(&place, &FolderOptions::default()).unwrap();
    let log = ByteLog::create(disk, bytelog::Options::new(Author(77)), StoreId::default()).unwrap();
    let setup =
        Setup { limits: Limits::DEFAULT, owner: OwnerId(77), actor: "newer".into(), author: Author(77), seed: 1 };
    let mut newer = Driver::open(Box::new(log), setup, 1000, &|| 1).unwrap();
    newer
        .control(&|| 1, &mut |engine, now| {
            engine.stage_level(now, 99);
            Ok(true)
        })
        .ok();
    newer.syncer().sync().unwrap();
    let before = picture(&place);
    for error in [
        store.add("map", "y").unwrap_err(),
        store.finish(&task).unwrap_err(),
        store.group("map").unwrap_err(),
        Store::open(&place).unwrap_err(),
    ] {
        assert_eq!((error.code(), error.kind()), (Code::UpgradeNeeded, Kind::Closed), "{error}");
        assert!(error.message().contains("upgrade"), "{error}");
    }
    assert_eq!(store.weak().group("map").unwrap().tasks, 1, "what it saw it still says");
    let segments = |picture: BTreeMap<String, (Vec<u8>, i64, i64, i64, i64)>| -> Vec<(String, Vec<u8>)> {
        picture.into_iter().filter(|(name, _)| name.contains(".seg")).map(|(name, file)| (name, file.0)).collect()
    };
    assert_eq!(segments(picture(&place)), segments(before));
}
