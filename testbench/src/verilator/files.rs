// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files of a build, with errors that name them.

use super::BuildError;
use std::path::Path;

pub(super) fn create_dir(path: &Path) -> Result<(), BuildError> {
    std::fs::create_dir_all(path).map_err(|source| BuildError::Io { action: "create", path: path.to_owned(), source })
}

pub(super) fn write(path: &Path, text: &str) -> Result<(), BuildError> {
    std::fs::write(path, text).map_err(|source| BuildError::Io { action: "write", path: path.to_owned(), source })
}

pub(super) fn read(path: &Path) -> Result<String, BuildError> {
    std::fs::read_to_string(path).map_err(|source| BuildError::Io { action: "read", path: path.to_owned(), source })
}
