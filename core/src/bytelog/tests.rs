//! The byte log on a simulated disk.
