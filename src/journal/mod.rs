//! The journal: the only place where a trial's outcome is kept.

pub mod format;
