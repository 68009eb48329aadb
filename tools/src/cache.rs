// SPDX-License-Identifier: MIT OR Apache-2.0
//! The build cache: folders named by the SHA-256 of all that decides their content.
//!
//! Keys hold file contents, flags and tool identities, never paths. A folder is built elsewhere, sealed, and
//! published by one rename, so that a reader sees it whole or not at all, and two processes that build the same
//! thing both succeed. An entry whose seal does not fit is built again.

use std::path::{Path, PathBuf};
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::seal;

/// The cache cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the build cache at {}: {source}; set HEDDLE_CACHE to a folder that can be written", path.display())]
pub struct CacheError {
    pub path: PathBuf,
    pub source: std::io::Error,
}

/// Root of the cache: `$HEDDLE_CACHE`, `$XDG_CACHE_HOME/heddle`, `~/.cache/heddle`, or the temporary folder.
pub fn cache_dir() -> PathBuf {
    let variable = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    variable("HEDDLE_CACHE")
        .or_else(|| Some(variable("XDG_CACHE_HOME")?.join("heddle")))
        .or_else(|| Some(variable("HOME")?.join(".cache/heddle")))
        .unwrap_or_else(|| std::env::temp_dir().join("heddle-cache"))
}

/// Collects the parts of a key; each is framed by its length, so that no two lists of parts are the same bytes.
pub struct Key(Sha256);

impl Key {
    pub fn new(kind: &str) -> Key {
        Self(Sha256::new()).part(kind)
    }

    pub fn part(mut self, part: &str) -> Self {
        self.0.update((part.len() as u64).to_le_bytes());
        self.0.update(part.as_bytes());
        self
    }

    pub fn parts<'a>(self, parts: impl IntoIterator<Item = &'a str>) -> Self {
        parts.into_iter().fold(self, Self::part).part("")
    }

    /// 128 bits of the digest, in hexadecimal.
    pub fn finish(self) -> String {
        self.0.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A work folder, removed when dropped.
pub struct Scratch(PathBuf);

impl Scratch {
    /// Inside the cache, so that publishing is a rename on one file system.
    pub fn new() -> Result<Self, CacheError> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        static SWEEP: Once = Once::new();
        SWEEP.call_once(|| sweep(&cache_dir().join("tmp")));
        let name = format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = cache_dir().join("tmp").join(name);
        let _ = std::fs::remove_dir_all(&path);
        create_dir_of_cache(&path)?;
        Ok(Self(path))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

/// Removes what killed processes left: work folders older than a day.
fn sweep(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.filter_map(Result::ok) {
        let modified = entry.metadata().and_then(|m| m.modified());
        if modified.is_ok_and(|time| time.elapsed().is_ok_and(|age| age > Duration::from_secs(24 * 3600))) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The folder of `key`, made by `fill` in a scratch folder if it is not there yet, or not as it was made.
pub fn get_or_build<E: From<CacheError>>(kind: &str, key: &str, fill: impl FnOnce(&Path) -> Result<(), E>) -> Result<PathBuf, E> {
    let target = cache_dir().join(kind).join(key);
    if seal::is_whole(&target) {
        return Ok(target);
    }
    let scratch = Scratch::new()?;
    let out = scratch.path().join("out");
    create_dir_of_cache(&out)?;
    fill(&out)?;
    seal::seal(&out).map_err(|source| CacheError { path: out.clone(), source })?;
    create_dir_of_cache(&cache_dir().join(kind))?;
    // Another process may have published it by now; what is there and damaged goes.
    if seal::is_whole(&target) {
        return Ok(target);
    }
    remove(kind, key);
    match std::fs::rename(&out, &target) {
        Err(_) if seal::is_whole(&target) => {}
        Err(source) => return Err(CacheError { path: target, source }.into()),
        Ok(()) => seal::sync_folder(&cache_dir().join(kind)),
    }
    Ok(target)
}

/// The folder of `key` if it is there, as it was made.
pub fn find(kind: &str, key: &str) -> Option<PathBuf> {
    Some(cache_dir().join(kind).join(key)).filter(|folder| seal::is_whole(folder))
}

/// Removes an entry; a reader that has it open keeps it.
pub fn remove(kind: &str, key: &str) {
    let _ = std::fs::remove_dir_all(cache_dir().join(kind).join(key));
}

fn create_dir_of_cache(path: &Path) -> Result<(), CacheError> {
    std::fs::create_dir_all(path).map_err(|source| CacheError { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_depend_on_where_parts_end() {
        assert_ne!(Key::new("k").part("ab").part("c").finish(), Key::new("k").part("a").part("bc").finish());
        assert_ne!(Key::new("k").parts(["a"]).parts([]).finish(), Key::new("k").parts([]).parts(["a"]).finish());
    }
}
