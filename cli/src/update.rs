//! A whole request, given as JSON.

use std::{
    fs,
    io::{Read as _, stdin},
    path::{Path, PathBuf},
};

use clap::Args;
use tenure::{Code, Error, Result, core::json::read_request};

use crate::{args::At, open::Setting, output, output::Output};

/// What `update` takes.
#[derive(Debug, Args)]
pub struct Update {
    #[command(flatten)]
    at: At,
    /// Read the request from a file instead of stdin.
    #[arg(long)]
    file: Option<PathBuf>,
}

pub fn update(setting: &Setting, out: &mut Output, args: &Update) -> Result<()> {
    let text = args.file.as_deref().map_or_else(input, file)?;
    let request = read_request(&text)?;
    let store = setting.present_or_new(&args.at.store)?;
    let committed = store.update(request)?;
    out.answer(&committed, |committed| {
        let done = format!("committed as revision {}", committed.revision);
        let more = output::committed(committed, store.now());
        if more.is_empty() { done } else { format!("{done}\n{more}") }
    })?;
    store.close()
}

/// All of stdin.
pub fn input() -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = stdin().lock().read_to_end(&mut bytes);
    read.map_err(|error| Error::new(Code::Unavailable, format!("can't read stdin: {error}")))?;
    Ok(bytes)
}

/// All of a file.
pub fn file(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| Error::new(Code::Unavailable, format!("can't read {}: {error}", path.display())))
}
