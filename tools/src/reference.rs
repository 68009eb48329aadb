// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the reference data is: models, texts and results of llama.cpp that are not part of the repository.

use std::path::PathBuf;

/// The folder of the reference data: `$HEDDLE_REFERENCE_DATA`, or `../shared/data` beside the repository. It need
/// not exist; docs/reference-data.md says how to make it.
pub fn reference_data() -> PathBuf {
    match std::env::var_os("HEDDLE_REFERENCE_DATA").filter(|v| !v.is_empty()) {
        Some(folder) => PathBuf::from(folder),
        None => super::repo_root().unwrap_or_default().join("../shared/data"),
    }
}

/// For tests: a file of the reference data, or a visible skip.
pub fn reference_file(path: &str) -> Option<PathBuf> {
    let path = reference_data().join(path);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {} is not there (docs/reference-data.md)", path.display());
    None
}
