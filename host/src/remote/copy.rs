//! A backup of a served store: sent as one file, read back whole here, and only then named.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::Path,
    time::Duration,
};

use http_body_util::BodyExt as _;
use tenure_core::{Code, Error, Result};
use tokio::time::timeout;

use super::{
    call::{Call, closed, either},
    client::Client,
    problem::Failure,
};
use crate::{
    Store,
    backup::{Backup, Temporary, exists, fault, publish},
};

/// How long the service may take to make it, and then to send the next piece.
const MAKING: Duration = Duration::from_mins(10);
const PIECE: Duration = Duration::from_secs(30);

impl Client {
    /// Has the service make a backup, and gives its bytes to `take`, piece by piece.
    ///
    /// # Errors
    /// As any call; what was taken of a backup that broke off is none. An error of `take` ends it.
    pub async fn backup(&self, mut take: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        either(self.fetch(&mut take), self.closing()).await.unwrap_or_else(|| Err(closed()))
    }

    async fn fetch(&self, take: &mut impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let late = |_| Failure::broken(self.url(), "a backup takes too long").error;
        let call = Call::get("/v1/backup");
        let sent = timeout(MAKING, self.send(&call, None)).await.map_err(late)?;
        let (status, mut body) = sent.map_err(|failure| failure.error)?;
        if !status.is_success() {
            let read = timeout(PIECE, body.collect()).await.map_err(late)?;
            let bytes = read.map_err(|error| Failure::broken(self.url(), &error.to_string()).error)?.to_bytes();
            return Err(Failure::told(self.url(), status, &bytes, self.now()).error);
        }
        while let Some(frame) = timeout(PIECE, body.frame()).await.map_err(late)? {
            let frame = frame.map_err(|error| Failure::broken(self.url(), &error.to_string()).error)?;
            if let Some(data) = frame.data_ref() {
                take(data)?;
            }
        }
        Ok(())
    }
}

impl Backup {
    /// As [`take`](Backup::take), of a store that is served: the file is made there, and verified here.
    ///
    /// # Errors
    /// `Unsupported` where the store lies in this process or in memory.
    pub fn fetch(store: &Store, file: &Path) -> Result<Self> {
        if fs::symlink_metadata(file).is_ok() {
            return Err(exists(file));
        }
        let Some(remote) = store.remote() else {
            return Err(Error::new(
                Code::Unsupported,
                "this store is not served by another process: take its backup instead",
            ));
        };
        let temporary = Temporary::beside(file)?;
        let path = &temporary.0;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut out = options.open(path).map_err(|error| fault("write", path, &error))?;
        let wrote = |error| fault("write", path, &error);
        remote.read(remote.client().backup(|bytes| out.write_all(bytes).map_err(wrote)))?;
        out.sync_all().map_err(wrote)?;
        drop(out);
        let (read, _) = Self::read(path)?;
        if read.store != store.identity() {
            return Err(Error::new(Code::Replaced, "the service sent the backup of another store: connect anew"));
        }
        publish(path, file)?;
        Ok(read)
    }
}
