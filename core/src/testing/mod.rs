//! What tests stand on: journals and disks that fail, tear and forget, on purpose and by a seed.

#[cfg(any(test, feature = "std"))]
mod disk;
#[cfg(any(test, feature = "std"))]
mod faults;
#[cfg(any(test, feature = "std"))]
mod file;
#[cfg(any(test, feature = "std"))]
mod image;
#[cfg(any(test, feature = "std"))]
mod journal;
#[cfg(any(test, feature = "std"))]
mod world;

#[cfg(any(test, feature = "std"))]
pub use journal::{Fault, Faults, Faulty, RIVAL};
#[cfg(any(test, feature = "std"))]
pub use {disk::SimDisk, file::SimFile, image::Survive, world::Lost};
