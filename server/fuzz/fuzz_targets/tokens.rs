//! An arbitrary file of tokens: read, or refused as invalid with a message.
#![no_main]

use std::{fs, sync::LazyLock};

use libfuzzer_sys::fuzz_target;
use tenure_server::Config;

static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a folder"));

fuzz_target!(|text: &[u8]| {
    let path = FOLDER.path().join("tokens.json");
    fs::write(&path, text).expect("a file");
    let mut config = Config::new("127.0.0.1:8048".parse().expect("an address"));
    config.tokens = Some(path);
    if let Err(error) = config.check() {
        assert_eq!(error.kind(), tenure::Kind::Invalid, "{error}");
        assert!(!error.message().is_empty());
    }
});
