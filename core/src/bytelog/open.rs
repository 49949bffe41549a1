//! Opening a store in a folder, or creating one.

use alloc::{format, string::String, sync::Arc, vec::Vec};

use super::{
    ByteLog, Options,
    disk::{Disk, DiskFile},
    folder::{self, Active},
    scan::Window,
    segment::{self, Header},
    watermark,
};
use crate::{
    error::{Code, Error, Result},
    frame::{Reader, Salt},
    id::{Position, StoreId},
    port::Tail,
};

/// A disk whose lock is held, and given back.
struct Locked<D: Disk>(Option<D>);

impl<D: Disk> Locked<D> {
    fn take(mut disk: D, options: &Options) -> Result<Self> {
        if !options.read_only {
            disk.lock(options.lock_wait)?;
        }
        Ok(Self(Some(disk)))
    }
}

impl<D: Disk> Drop for Locked<D> {
    fn drop(&mut self) {
        if let Some(disk) = &mut self.0 {
            disk.unlock();
        }
    }
}

impl<D: Disk> ByteLog<D> {
    /// Opens the store in a folder. `Code::NoStore` where there is none.
    ///
    /// A tail that was never acknowledged is dropped; damage before the durable mark is `Code::Corrupt`, and nothing
    /// is touched then. A handle that only reads touches nothing at all.
    pub fn open(disk: D, options: Options) -> Result<Self> {
        Self::start(disk, options, None)
    }

    /// Opens the store in a folder, or creates one with this random id where the folder holds nothing.
    pub fn create(disk: D, options: Options, store: StoreId) -> Result<Self> {
        Self::start(disk, options, Some((store, Tail::empty(Position(0)))))
    }

    /// Creates a store whose journal begins at this tail. It opens once a snapshot that ends there is published.
    pub fn create_at(disk: D, options: Options, store: StoreId, tail: Tail) -> Result<Self> {
        Self::start(disk, options, Some((store, tail)))
    }

    fn start(disk: D, options: Options, store: Option<(StoreId, Tail)>) -> Result<Self> {
        let mut locked = Locked::take(disk, &options)?;
        let Some(disk) = &mut locked.0 else { return Err(Error::new(Code::Internal, "a lock without its disk")) };
        let (mut headers, mut file) = folder::read_headers(disk)?;
        if headers.is_empty() {
            let names = disk.names()?;
            check_empty(&names, disk.read_shared().ok())?;
            let Some((store, tail)) = store.filter(|_| !options.read_only) else {
                return Err(Error::new(Code::NoStore, "there is no store in this folder: create one first"));
            };
            let header = Header { sequence: 1, store, tail, author: options.author };
            remove_temporaries(disk, &names);
            write_segment(disk, &options, &header, 0, &mut |_| Ok(()))?;
            (headers, file) = folder::read_headers(disk)?;
        }
        let (Some(header), Some(file)) = (headers.last().copied(), file) else {
            return Err(Error::new(Code::Unavailable, "the store vanished while it was opened: try again"));
        };
        if headers.iter().any(|other| other.store != header.store) {
            return Err(Error::new(Code::Corrupt, "the folder holds segments of two stores: restore it from a backup"));
        }
        let (len, _) = file.len()?;
        let Some(disk) = locked.0.take() else { return Err(Error::new(Code::Internal, "a lock without its disk")) };
        let active = Active { header, file, state: Arc::default(), named: false, foreign: header.end(len) };
        let mut log = Self {
            disk,
            options,
            store: header.store,
            salt: Salt::of(header.store),
            segments: headers,
            active,
            reached: None,
            tail: header.tail,
            seal: None,
            durable: header.base(),
            mark: header.tail,
            locked: !options.read_only,
            unsettled: false,
            given: Position(0),
            closed: false,
            out: Vec::new(),
            window: Window::default(),
            aborted: 0,
            attempts: 0,
        };
        let opened = log.recover();
        if log.locked {
            log.locked = false;
            log.disk.unlock();
        }
        opened.map(|()| log)
    }

    /// Finds the tail, and mends what a crash left there.
    fn recover(&mut self) -> Result<()> {
        if self.locked {
            let names = self.disk.names()?;
            remove_temporaries(&mut self.disk, &names);
        }
        self.note_watermark();
        let mut reader = Reader::new(self.salt, &self.tail);
        self.settle_from(&mut reader, true)
    }

    /// The tail behind the last whole entry that this handle has checked. In a section it is that of the journal: an
    /// entry without conditions can be appended there by a handle that has read none of the others.
    pub fn tail(&self) -> Tail {
        self.tail
    }

    /// Learns from the watermark.
    pub(super) fn note_watermark(&mut self) {
        // The shared bytes can't be read: then nothing is known from them.
        let Ok(bytes) = self.disk.read_shared() else { return };
        if let Some((store, position)) = watermark::decode(&bytes)
            && store == self.store
        {
            self.durable = self.durable.max(position);
        }
    }
}

/// Whether a folder without segments may become a store.
fn check_empty(names: &[String], shared: Option<[u8; 64]>) -> Result<()> {
    let mark = shared.and_then(|bytes| watermark::decode(&bytes));
    if mark.is_some() || names.iter().any(|name| name.ends_with(super::snapshots::SUFFIX)) {
        return Err(Error::new(
            Code::Corrupt,
            "a store was in this folder and its segments are gone: restore them, or empty the folder to begin anew",
        ));
    }
    let ours = |name: &String| {
        let made = [super::guard::GUARD, super::reserve::NAME].contains(&name.as_str());
        made || name == "lock" || name.starts_with('.') || name.ends_with(segment::TEMPORARY)
    };
    if let Some(name) = names.iter().find(|name| !ours(name)) {
        let text = format!("the folder is no store and holds other files, {name:?} for one: give an empty folder");
        return Err(Error::new(Code::NotAStore, text));
    }
    Ok(())
}

/// Removes segments that somebody began to write and died over. They are only written under the lock.
fn remove_temporaries<D: Disk>(disk: &mut D, names: &[String]) {
    for name in names.iter().filter(|name| segment::is_temporary(name)) {
        // It only takes space; the next one who opens the store tries again.
        let _ = disk.remove(name);
    }
}

/// Makes a segment: whole and durable under a temporary name first, then under its own. `rest` writes what follows
/// its header.
pub(super) fn write_segment<D: Disk>(
    disk: &mut D,
    options: &Options,
    header: &Header,
    attempt: u32,
    rest: &mut dyn FnMut(&D::File) -> Result<()>,
) -> Result<Arc<D::File>> {
    let temporary = segment::temporary(header.sequence, options.author, attempt);
    let file = disk.create(&temporary)?;
    let mut write = || {
        file.write_at(0, &header.to_bytes())?;
        rest(&file)?;
        file.sync()?;
        disk.rename(&temporary, &segment::name(header.sequence))
    };
    if let Err(error) = write() {
        // What is left only takes space; the next one who opens the store removes it.
        let _ = disk.remove(&temporary);
        return Err(error);
    }
    file.renamed(&segment::name(header.sequence));
    disk.sync_names()?;
    Ok(file)
}
