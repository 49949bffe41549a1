//! The committed seeds of the fuzz targets still mean something: each is answered, or refused, as its name says.
#![allow(clippy::unwrap_used)]

mod wire;

use std::{fs, path::Path};

use wire::{Served, config};

/// Asks `whole` of every seed of a target. Those that begin with `bad_` must not be.
fn check(target: &str, whole: impl Fn(&str, &[u8]) -> bool) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let (mut good, mut bad) = (0, 0);
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let refused = name.starts_with("bad_");
        *if refused { &mut bad } else { &mut good } += 1;
        assert_eq!(whole(&name, &fs::read(&path).unwrap()), !refused, "{target}/{name}");
    }
    assert!(good >= 3 && bad >= 3, "{target}: seeds are missing, there are {good} good and {bad} bad ones");
}

#[test]
fn call_seeds_are_answered_or_refused_as_their_names_say() {
    let served = Served::new();
    check("call", |name, text| {
        let text = std::str::from_utf8(text).unwrap();
        let (head, body) = text.split_once("\n\n").unwrap();
        let mut lines = head.lines();
        let (method, path) = lines.next().unwrap().split_once(' ').unwrap();
        let headers: Vec<(&str, &str)> = lines.map(|line| line.split_once(": ").unwrap()).collect();
        let reply = served.client().call(method, path, &headers, body);
        assert!(reply.status < 500, "{name}: {reply:?}");
        reply.status == 200
    });
}

#[test]
fn connection_seeds_are_answered_or_refused_as_their_names_say() {
    let served = Served::new();
    check("connection", |name, bytes| {
        let mut client = served.client();
        client.raw(bytes);
        // What is no request at all is hung up on, or told so.
        let status = client.reply().map_or(400, |reply| reply.status);
        assert!(status < 500 || status == 505, "{name}: {status}");
        status == 200
    });
}

#[test]
fn token_seeds_are_read_or_refused_as_their_names_say() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.json");
    check("tokens", |_, text| {
        fs::write(&path, text).unwrap();
        let mut config = config();
        config.tokens = Some(path.clone());
        config.check().is_ok()
    });
}
