//! An embeddable, durable, transactional coordination store.

pub mod file;
