//! Models as the commands of `model` show them. Must not know how they are found.

mod inspect;
mod list;
mod upcycled;
mod verify;

pub use inspect::{Inspected, describe};
pub use list::{Row, table};
pub use upcycled::upcycled;
pub use verify::{VerifiedFile, VerifiedFiles, line};
