// SPDX-License-Identifier: MIT OR Apache-2.0
//! The output folder: written as a whole or not at all, and compared file by file.

use super::{Files, MANIFEST, SIM};
use serde::Serialize;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;

/// Why nothing was written or compared. The folder is as it was.
#[derive(Debug, Error)]
pub enum OutputError {
    #[error("cannot {action} {}: {source}", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
    #[error("cannot write {}: {source}; choose another folder with --out", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{} holds {} that gen did not write; it would be lost: choose another folder with --out, or move it away", path.display(), .foreign.join(", "))]
    Foreign { path: PathBuf, foreign: Vec<String> },
    #[error("{}: not a folder that can be written; choose another one with --out", path.display())]
    NoFolder { path: PathBuf },
}

/// How a file in the folder differs from what would be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Difference {
    Missing,
    Unexpected,
    /// From this line on, counted from 1.
    Differs {
        line: usize,
    },
}

/// Replaces the folder by one with exactly these files. They are first written beside it, and the folders
/// then change places by renaming, so a failure leaves the old one whole. A folder that holds anything
/// which an earlier run did not write is refused.
pub fn write(files: &Files, out: &Path) -> Result<(), OutputError> {
    let name = out.file_name().ok_or_else(|| OutputError::NoFolder { path: out.into() })?;
    let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    refuse_foreign(files, out)?;
    replace(files, out, parent, name).map_err(|source| OutputError::Write { path: out.into(), source })
}

fn replace(files: &Files, out: &Path, parent: &Path, name: &OsStr) -> io::Result<()> {
    fs::create_dir_all(parent)?;
    sweep(parent, &hidden(name));
    // Removed with all that is in it when it goes out of scope: at the end, the old folder.
    let scratch = tempfile::Builder::new().prefix(&hidden(name)).rand_bytes(RANDOM).tempdir_in(parent).map_err(without_path)?;
    let (new, old) = (scratch.path().join(NEW), scratch.path().join(OLD));
    fs::create_dir(&new)?;
    if files.keys().any(|file| in_sim(file)) {
        fs::create_dir(new.join(SIM))?;
    }
    for (file, text) in files {
        fs::write(new.join(file), text)?;
    }
    swap(&new, out, &old)
}

/// What is in a temporary folder.
const NEW: &str = "new";
const OLD: &str = "old";
/// Random characters at the end of its name.
const RANDOM: usize = 6;
/// A run takes well below a second; what is older than this belongs to one that was killed.
const STALE: Duration = Duration::from_secs(3600);

/// Removes the temporary folders that killed runs for the same output left. What cannot be removed stays.
fn sweep(parent: &Path, prefix: &str) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let random = name.to_str().and_then(|name| name.strip_prefix(prefix));
        let ours = random.is_some_and(|r| r.len() == RANDOM && r.bytes().all(|b| b.is_ascii_alphanumeric()));
        if ours && is_stale(&entry).unwrap_or(false) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Whether it is a folder that nobody has changed for long, with nothing in it but what `write` puts there.
fn is_stale(entry: &fs::DirEntry) -> io::Result<bool> {
    let about = entry.metadata()?; // of a link, not of what it leads to
    let old = about.is_dir() && about.modified()?.elapsed().is_ok_and(|age| age > STALE);
    let names = fs::read_dir(entry.path())?.map(|inner| Ok(inner?.file_name())).collect::<io::Result<Vec<_>>>()?;
    Ok(old && names.iter().all(|name| name == NEW || name == OLD))
}

/// The cause alone: the name of a temporary folder says nothing to anyone.
fn without_path(error: io::Error) -> io::Error {
    error.kind().into()
}

fn hidden(name: &OsStr) -> String {
    format!(".{}.", name.to_string_lossy())
}

fn swap(new: &Path, out: &Path, old: &Path) -> io::Result<()> {
    let replaces = out.exists();
    if replaces {
        fs::rename(out, old)?;
    }
    let renamed = fs::rename(new, out);
    if renamed.is_err() && replaces {
        fs::rename(old, out)?;
    }
    renamed
}

/// Every difference between the folder and these files, by file name. A folder that is not there lacks every file.
pub fn compare(files: &Files, out: &Path) -> Result<Vec<(String, Difference)>, OutputError> {
    let present = entries(out).map_err(failed("read", out))?;
    let mut differences = vec![];
    for (name, text) in files {
        let path = out.join(name);
        let difference = match present.contains(name) {
            true => first_difference(text.as_bytes(), &fs::read(&path).map_err(failed("read", &path))?),
            false => Some(Difference::Missing),
        };
        differences.extend(difference.map(|difference| (name.clone(), difference)));
    }
    let unexpected = present.into_iter().filter(|name| !files.contains_key(name));
    differences.extend(unexpected.map(|name| (name, Difference::Unexpected)));
    differences.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(differences)
}

fn first_difference(expected: &[u8], found: &[u8]) -> Option<Difference> {
    if expected == found {
        return None;
    }
    let equal = expected.iter().zip(found).take_while(|(a, b)| a == b).count();
    Some(Difference::Differs { line: 1 + expected[..equal].iter().filter(|&&byte| byte == b'\n').count() })
}

/// Errors if the folder holds anything but files that its manifest lists or that are about to be written.
fn refuse_foreign(files: &Files, out: &Path) -> Result<(), OutputError> {
    let present = entries(out).map_err(|source| OutputError::Write { path: out.into(), source })?;
    let listed = if present.is_empty() { BTreeSet::new() } else { listed(&out.join(MANIFEST)) };
    let ours = |name: &String| listed.contains(name) || (!listed.is_empty() && files.contains_key(name));
    let foreign: Vec<String> = present.into_iter().filter(|name| !ours(name)).collect();
    if foreign.is_empty() { Ok(()) } else { Err(OutputError::Foreign { path: out.into(), foreign }) }
}

/// Names of the files in a manifest, and its own; empty if there is none.
fn listed(manifest: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(manifest).unwrap_or_default();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let sizes = value["sizes"].as_object();
    sizes.map(|sizes| sizes.keys().cloned().chain([MANIFEST.into()]).collect()).unwrap_or_default()
}

/// Names in a folder, those in its own folder [`SIM`] with it in front; none if it does not exist. Other folders,
/// and a link in the place of [`SIM`], are entries as a whole.
fn entries(folder: &Path) -> io::Result<BTreeSet<String>> {
    let mut all = BTreeSet::new();
    let found = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(all),
        found => found?,
    };
    for entry in found {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name == SIM && entry.file_type()?.is_dir() {
            for inner in fs::read_dir(entry.path())? {
                all.insert(format!("{SIM}/{}", inner?.file_name().to_string_lossy()));
            }
        } else {
            all.insert(name);
        }
    }
    Ok(all)
}

fn in_sim(file: &str) -> bool {
    file.strip_prefix(SIM).is_some_and(|rest| rest.starts_with('/'))
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> OutputError {
    move |source| OutputError::Io { action, path: path.into(), source }
}
