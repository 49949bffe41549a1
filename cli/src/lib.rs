//! The `tenure` program as a library.
