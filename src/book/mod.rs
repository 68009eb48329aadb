// SPDX-License-Identifier: MIT OR Apache-2.0
//! The generated part of the documentation: whole pages, regions of written pages, and timing diagrams.
//!
//! `cargo run --release --example book` writes it, `-- --check` compares; `tests/book.rs` does the latter. A
//! region stands between `<!-- generated: KIND ARGUMENT -->` and `<!-- end -->` on lines of their own.

mod figures;
mod power;
mod regions;
mod states;
mod svg;
mod tables;
mod timeline;
mod wave;
mod wire;

use crate::generate::licensed;
use heddle_core::config::Config;
use heddle_core::{descriptor, registers};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// The preset whose build the pages describe.
pub const PRESET: &str = "base";

/// Texts by path within the repository.
pub type Pages = BTreeMap<PathBuf, String>;

/// Why the documentation cannot be generated.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{}: {reason}", path.display())]
    Region { path: PathBuf, reason: String },
    #[error("figure {figure}: {reason}")]
    Figure { figure: &'static str, reason: String },
    #[error(transparent)]
    Build(#[from] heddle_lang::BuildError),
}

/// Every generated file of the repository at `root`, as it should be.
pub fn pages(root: &Path) -> Result<Pages, BookError> {
    let docs = Path::new("docs");
    let mut pages = Pages::new();
    // The preset that has every register.
    pages.insert(docs.join("registers.md"), licensed(&registers::markdown(&Config::gated())));
    pages.insert(docs.join("descriptors.md"), licensed(&descriptor::markdown()));
    for (name, text) in figures::all()? {
        pages.insert(docs.join("images").join(name), text);
    }
    for path in written(root)? {
        let text = read(&root.join(&path))?;
        let filled = regions::fill(&text).map_err(|reason| BookError::Region { path: path.clone(), reason })?;
        if let Some(filled) = filled {
            pages.insert(path, filled);
        }
    }
    Ok(pages)
}

/// Those generated files that are missing or differ.
pub fn stale(root: &Path) -> Result<Vec<PathBuf>, BookError> {
    let differs = |(path, text): &(PathBuf, String)| fs::read_to_string(root.join(path)).ok().as_ref() != Some(text);
    Ok(pages(root)?.into_iter().filter(differs).map(|(path, _)| path).collect())
}

/// Brings them up to date; returns those that changed.
pub fn write(root: &Path) -> Result<Vec<PathBuf>, BookError> {
    let all = pages(root)?;
    let stale = stale(root)?;
    for path in &stale {
        let to = root.join(path);
        let result = to.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&to, &all[path]));
        result.map_err(|source| BookError::Io { path: to, source })?;
    }
    Ok(stale)
}

/// The written pages: README.md and every Markdown file below docs/.
fn written(root: &Path) -> Result<Vec<PathBuf>, BookError> {
    let mut found = vec![PathBuf::from("README.md")];
    let mut folders = vec![PathBuf::from("docs")];
    while let Some(folder) = folders.pop() {
        let failed = |source| BookError::Io { path: folder.clone(), source };
        for entry in fs::read_dir(root.join(&folder)).map_err(failed)? {
            let path = folder.join(entry.map_err(failed)?.file_name());
            if root.join(&path).is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn read(path: &Path) -> Result<String, BookError> {
    fs::read_to_string(path).map_err(|source| BookError::Io { path: path.to_owned(), source })
}
