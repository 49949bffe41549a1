//! What a simulated file system holds: a live image, a durable one, and what lies between them.

use alloc::{collections::BTreeMap, collections::BTreeSet, string::String, vec, vec::Vec};

/// Bytes of a page: what a crash keeps or drops in one piece.
pub(super) const PAGE: usize = 4096;

/// What a crash of the machine leaves of the pages, lengths and names that no sync covered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Survive {
    /// All of it: also what a crash of only the process leaves.
    Kept,
    /// None of it.
    Dropped,
    /// The first half of each page, all lengths, the first half of the name changes.
    Torn,
    /// For each page, length and name change its own fate, drawn from this seed.
    Seed(u64),
}

/// The fate of one thing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Keep,
    Drop,
    /// Keep so many bytes from the beginning of the page.
    Tear(usize),
}

/// Draws fates.
struct Fates {
    survive: Survive,
    state: u64,
}

impl Fates {
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn page(&mut self) -> Fate {
        match self.survive {
            Survive::Kept => Fate::Keep,
            Survive::Dropped => Fate::Drop,
            Survive::Torn => Fate::Tear(PAGE / 2),
            Survive::Seed(_) => match self.random() % 4 {
                0 | 1 => Fate::Keep,
                2 => Fate::Drop,
                _ => Fate::Tear((self.random() % 8 * 512) as usize),
            },
        }
    }

    /// Whether a thing that can't be torn is kept; `first_half` says where it stands among its like.
    fn whole(&mut self, first_half: bool) -> bool {
        match self.survive {
            Survive::Kept => true,
            Survive::Dropped => false,
            Survive::Torn => first_half,
            Survive::Seed(_) => self.random() & 1 == 0,
        }
    }
}

/// A file's bytes as they are read now, and as they are on the medium.
#[derive(Clone, Default, Debug)]
pub(super) struct FileImage {
    pub live: Vec<u8>,
    pub durable: Vec<u8>,
    dirty: BTreeSet<usize>,
    /// How often writing it to the medium failed.
    pub failures: u64,
}

impl FileImage {
    pub fn write(&mut self, offset: usize, bytes: &[u8]) {
        let end = offset + bytes.len();
        let begin = offset.min(self.live.len());
        if self.live.len() < end {
            self.live.resize(end, 0);
        }
        self.live[offset..end].copy_from_slice(bytes);
        if begin < end {
            self.dirty.extend(begin / PAGE..=(end - 1) / PAGE);
        }
    }

    pub fn truncate(&mut self, len: usize) {
        if len < self.live.len() {
            self.live.truncate(len);
            self.dirty.retain(|page| page * PAGE < len);
            if !len.is_multiple_of(PAGE) {
                self.dirty.insert(len / PAGE);
            }
        } else {
            let from = self.live.len();
            self.live.resize(len, 0);
            self.dirty.extend(from / PAGE..len.div_ceil(PAGE));
        }
    }

    pub fn sync(&mut self) {
        self.durable.resize(self.live.len(), 0);
        for page in core::mem::take(&mut self.dirty) {
            let (begin, end) = (page * PAGE, ((page + 1) * PAGE).min(self.live.len()));
            if begin < end {
                self.durable[begin..end].copy_from_slice(&self.live[begin..end]);
            }
        }
    }

    /// A sync that fails as Linux lets it: the pages count as clean, and are not on the medium. With `cache` they
    /// are gone from the cache too.
    pub fn lose(&mut self, cache: bool) {
        for page in core::mem::take(&mut self.dirty) {
            let (begin, end) = (page * PAGE, ((page + 1) * PAGE).min(self.live.len()));
            for at in (begin..end).take_while(|_| cache) {
                self.live[at] = self.durable.get(at).copied().unwrap_or(0);
            }
        }
        self.failures += 1;
    }

    fn after_crash(&self, fates: &mut Fates) -> Vec<u8> {
        let len = if fates.whole(true) { self.live.len() } else { self.durable.len() };
        let mut bytes = vec![0; len];
        let durable = self.durable.len().min(len);
        bytes[..durable].copy_from_slice(&self.durable[..durable]);
        for &page in &self.dirty {
            let begin = page * PAGE;
            let kept = match fates.page() {
                Fate::Keep => PAGE,
                Fate::Drop => 0,
                Fate::Tear(kept) => kept,
            };
            let end = (begin + kept).min(len).min(self.live.len());
            if begin < end {
                bytes[begin..end].copy_from_slice(&self.live[begin..end]);
            }
        }
        bytes
    }
}

/// A change of the folder that no sync of the names covered.
#[derive(Clone, Debug)]
pub(super) enum NameChange {
    Create(String, usize),
    Rename(String, String, usize),
    Remove(String),
}

/// A folder: its files, its names live and durable.
#[derive(Clone, Default, Debug)]
pub(super) struct FolderImage {
    pub files: Vec<FileImage>,
    pub names: BTreeMap<String, usize>,
    pub durable_names: BTreeMap<String, usize>,
    pub changes: Vec<NameChange>,
    /// The shared bytes: every value they had, the present one last.
    pub shared: Vec<[u8; 64]>,
}

impl FolderImage {
    pub fn change(&mut self, change: NameChange) {
        apply(&mut self.names, &change);
        self.changes.push(change);
    }

    pub fn sync_names(&mut self) {
        self.durable_names = self.names.clone();
        self.changes.clear();
    }

    pub fn bytes(&self) -> usize {
        self.names.values().filter_map(|&file| self.files.get(file)).map(|file| file.live.len()).sum()
    }

    /// The folder as the next start of the machine finds it.
    pub fn after_crash(&self, survive: Survive) -> Self {
        let state = if let Survive::Seed(seed) = survive { seed } else { 0 };
        let mut fates = Fates { survive, state };
        let mut names = self.durable_names.clone();
        for (i, change) in self.changes.iter().enumerate() {
            if fates.whole(i * 2 < self.changes.len()) {
                apply(&mut names, change);
            }
        }
        let files = self
            .files
            .iter()
            .map(|file| {
                let bytes = file.after_crash(&mut fates);
                FileImage { durable: bytes.clone(), live: bytes, ..FileImage::default() }
            })
            .collect();
        // The shared bytes are written without a sync: any value they had may be the one that stayed.
        let shared = match survive {
            Survive::Kept | Survive::Torn => self.shared.len().saturating_sub(1),
            Survive::Dropped => 0,
            Survive::Seed(_) => fates.random() as usize % self.shared.len().max(1),
        };
        let mut shared = self.shared.get(shared).copied().unwrap_or([0; 64]);
        if survive == Survive::Torn {
            shared[32..].fill(0);
        }
        Self { files, durable_names: names.clone(), names, changes: Vec::new(), shared: vec![shared] }
    }
}

fn apply(names: &mut BTreeMap<String, usize>, change: &NameChange) {
    match change {
        NameChange::Create(name, file) => {
            names.insert(name.clone(), *file);
        }
        NameChange::Rename(from, to, file) => {
            if names.get(from) == Some(file) {
                names.remove(from);
            }
            names.insert(to.clone(), *file);
        }
        NameChange::Remove(name) => {
            names.remove(name);
        }
    }
}
