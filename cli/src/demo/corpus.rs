//! The texts, and how they are cut into pieces.

use std::{
    fs::{self, File},
    io::{Read as _, Seek as _, SeekFrom},
    path::Path,
};

use serde::{Deserialize, Serialize};
use tenure::{Code, Error, Result};

use super::{
    unavailable,
    words::{self, Counts},
};

/// A stretch of one file: the data of a map task.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Piece {
    /// The file, from the corpus's folder.
    pub file: String,
    /// The first byte.
    pub from: u64,
    /// The byte behind the last.
    pub to: u64,
}

/// The text files of a folder.
pub struct Corpus {
    /// The files with their lengths.
    pub files: Vec<(String, u64)>,
}

impl Corpus {
    /// Finds the text files of a folder and of those below it. Hidden names, links and binary files are left out.
    pub fn find(folder: &Path) -> Result<Self> {
        if !folder.is_dir() {
            let why = format!("{} is not a folder: give a folder of text files", folder.display());
            return Err(Error::new(Code::Invalid, why));
        }
        let mut files = Vec::new();
        let mut open = vec![folder.to_path_buf()];
        while let Some(inside) = open.pop() {
            let fault = |error| unavailable(&format!("can't list {}", inside.display()), &error);
            for entry in fs::read_dir(&inside).map_err(fault)? {
                let entry = entry.map_err(fault)?;
                let kind = entry.file_type().map_err(fault)?;
                let path = entry.path();
                if entry.file_name().to_string_lossy().starts_with('.') {
                    continue;
                }
                if kind.is_dir() {
                    open.push(path);
                } else if kind.is_file()
                    && let Some(name) = path.strip_prefix(folder).ok().and_then(Path::to_str)
                    && is_text(&path)?
                {
                    let len = entry.metadata().map_err(fault)?.len();
                    files.push((name.to_owned(), len));
                }
            }
        }
        files.sort();
        if files.iter().all(|(_, len)| *len == 0) {
            let why = format!("{} has no text files: give a folder of text files", folder.display());
            return Err(Error::new(Code::Invalid, why));
        }
        Ok(Self { files })
    }

    /// How many bytes all files have.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|(_, len)| len).sum()
    }

    /// Cuts the files into pieces of about this length, each cut behind a line or at least a space.
    pub fn pieces(&self, folder: &Path, about: u64) -> Result<Vec<Piece>> {
        let mut pieces = Vec::new();
        for (file, len) in &self.files {
            let mut from = 0;
            while from < *len {
                let to = if len - from <= about { *len } else { cut(&folder.join(file), from + about, *len)? };
                pieces.push(Piece { file: file.clone(), from, to });
                from = to;
            }
        }
        Ok(pieces)
    }

    /// Counts all words, one file after the other: what the job's result is compared with.
    pub fn count(&self, folder: &Path) -> Result<Counts> {
        let mut counts = Counts::new();
        for (file, len) in &self.files {
            let piece = Piece { file: file.clone(), from: 0, to: *len };
            words::count(&piece.read(folder)?, &mut counts);
        }
        Ok(counts)
    }
}

impl Piece {
    /// The bytes of the piece.
    pub fn read(&self, folder: &Path) -> Result<Vec<u8>> {
        let path = folder.join(&self.file);
        let mut bytes = Vec::new();
        let read = File::open(&path).and_then(|mut file| {
            file.seek(SeekFrom::Start(self.from))?;
            file.take(self.to - self.from).read_to_end(&mut bytes)
        });
        read.map_err(|error| unavailable(&format!("can't read {}", path.display()), &error))?;
        Ok(bytes)
    }
}

/// Whether a file looks like text: no NUL in its beginning.
fn is_text(path: &Path) -> Result<bool> {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(8192).read_to_end(&mut head));
    read.map_err(|error| unavailable(&format!("can't read {}", path.display()), &error))?;
    Ok(!head.contains(&0))
}

/// The first place at or after `at` that stands behind white space.
fn cut(path: &Path, at: u64, len: u64) -> Result<u64> {
    let fault = |error| unavailable(&format!("can't read {}", path.display()), &error);
    let mut file = File::open(path).map_err(fault)?;
    file.seek(SeekFrom::Start(at)).map_err(fault)?;
    let mut block = [0; 4096];
    let mut read = at;
    loop {
        let n = file.read(&mut block).map_err(fault)?;
        if n == 0 {
            return Ok(len);
        }
        if let Some(space) = block[..n].iter().position(u8::is_ascii_whitespace) {
            return Ok((read + space as u64 + 1).min(len));
        }
        read += n as u64;
    }
}
