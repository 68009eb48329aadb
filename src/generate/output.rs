// SPDX-License-Identifier: MIT OR Apache-2.0
//! The output folder: written as a whole or not at all, and compared file by file.

use super::{Files, MANIFEST};
use serde::Serialize;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why nothing was written or compared. The folder is as it was.
#[derive(Debug, Error)]
pub enum OutputError {
    #[error("cannot {action} {}: {source}", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
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
    fs::create_dir_all(parent).map_err(failed("create", parent))?;
    // Removed with all that is in it when it goes out of scope: at the end, the old folder.
    let scratch = tempfile::Builder::new().prefix(&hidden(name)).tempdir_in(parent).map_err(failed("create a folder in", parent))?;
    let (new, old) = (scratch.path().join("new"), scratch.path().join("old"));
    fs::create_dir(&new).map_err(failed("create", &new))?;
    for (file, text) in files {
        let path = new.join(file);
        fs::write(&path, text).map_err(failed("write", &path))?;
    }
    swap(&new, out, &old).map_err(failed("replace", out))
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
    let present = entries(out)?;
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
    let present = entries(out)?;
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

/// Names in a folder; none if it does not exist.
fn entries(folder: &Path) -> Result<BTreeSet<String>, OutputError> {
    match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeSet::new()),
        Err(error) => Err(failed("read", folder)(error)),
        Ok(entries) => {
            let name = |entry: io::Result<fs::DirEntry>| entry.map(|entry| entry.file_name().to_string_lossy().into_owned());
            entries.map(name).collect::<Result<_, _>>().map_err(failed("read", folder))
        }
    }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> OutputError {
    move |source| OutputError::Io { action, path: path.into(), source }
}
