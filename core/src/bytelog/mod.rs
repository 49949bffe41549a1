//! The journal over raw bytes: segments of frames in a folder, shared by many handles and processes.

mod disk;

pub use disk::{Disk, DiskFile, SharedWriter};
