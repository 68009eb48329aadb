// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where tools are looked for.

use std::path::{Path, PathBuf};

/// The Python of the project-local tools, if they are installed.
pub fn tools_python() -> Option<PathBuf> {
    Some(tools_dir().join("bin/python3")).filter(|p| p.is_file())
}

/// A program of the project-local tools or of `PATH`.
pub fn find_program(name: &str) -> Option<PathBuf> {
    Some(tools_dir().join("bin").join(name)).filter(|p| p.is_file()).or_else(|| first_in(&search_path(), name))
}

/// Where the project-local tools live: `$HEDDLE_TOOLS`, or `.tools` of the repository, or of the cache.
pub fn tools_dir() -> PathBuf {
    if let Some(dir) = std::env::var_os("HEDDLE_TOOLS").filter(|v| !v.is_empty()) {
        return PathBuf::from(dir);
    }
    match repo_root() {
        Some(root) => root.join(".tools"),
        None => crate::cache_dir().join("tools"),
    }
}

/// The repository: where this crate was built, or the nearest folder above the current one that has it.
pub fn repo_root() -> Option<PathBuf> {
    let is_root = |dir: &Path| dir.join("tools/provision.sh").is_file();
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    if is_root(built) {
        return Some(built.to_owned());
    }
    let current = std::env::current_dir().ok()?;
    current.ancestors().find(|dir| is_root(dir)).map(Path::to_owned)
}

/// The folders of `PATH`.
pub(crate) fn search_path() -> Vec<PathBuf> {
    std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default()
}

pub(crate) fn first_in(folders: &[PathBuf], name: &str) -> Option<PathBuf> {
    folders.iter().map(|folder| folder.join(name)).find(|p| p.is_file())
}
