//! An embeddable, durable, transactional coordination store.
