//! Opens what comes in, for one process at a time.

use std::fs::{self, File, TryLockError};
use std::path::Path;

use super::TransferError;

/// Keeps other processes from writing what `path` stands for, until it is dropped. `waiting` is called when another one
/// is at it.
///
/// # Errors
/// When the file can't be made or locked.
pub fn lock(path: &Path, waiting: impl FnOnce()) -> Result<File, TransferError> {
    let directory = path.parent().unwrap_or(path);
    fs::create_dir_all(directory).map_err(TransferError::io("create", directory))?;
    let file = File::options().create(true).append(true).open(path).map_err(TransferError::io("create", path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            waiting();
            file.lock().map_err(TransferError::io("lock", path))?;
        }
        Err(TryLockError::Error(source)) => return Err(TransferError::io("lock", path)(source)),
    }
    Ok(file)
}

/// Opens what there is of a file, to read it and to append to it.
///
/// # Errors
/// When it can't be opened or made.
pub fn open_to_append(path: &Path) -> Result<File, TransferError> {
    let open = || {
        fs::create_dir_all(path.parent().unwrap_or(path))?;
        File::options().create(true).read(true).append(true).open(path)
    };
    open().map_err(TransferError::io("create", path))
}
