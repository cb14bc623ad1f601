//! The catalogue of models: which ids stand for which files.

mod catalogue;

pub use catalogue::parse;
