// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where a configuration comes from: a preset or a file, with settings on top. Errors point into the file.

use heddle_core::config::{Config, ConfigError, keys, legal};
use miette::{Diagnostic, NamedSource, SourceSpan};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thiserror::Error;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What to start from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Preset(String),
    File(PathBuf),
}

/// Why there is no configuration.
#[derive(Debug, Error, Diagnostic)]
pub enum SourceError {
    #[error("cannot read {}: {source}", path.display())]
    #[diagnostic(help("`gen --preset base` writes a config.toml to start from"))]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{message}")]
    InFile {
        message: String,
        #[source_code]
        file: Arc<NamedSource<String>>,
        #[label("{label}")]
        span: SourceSpan,
        label: String,
    },
    /// There is no place to point at.
    #[error("{}: not a valid configuration: {message}", path.display())]
    #[diagnostic(help("`gen --preset base` writes a config.toml to start from"))]
    Incomplete { path: PathBuf, message: String },
    #[error(transparent)]
    Config(ConfigError),
}

/// The configuration from `source` after `key=value` settings, checked.
pub fn load(source: &Source, settings: &[String]) -> Result<Config, SourceError> {
    match source {
        Source::Preset(name) => {
            let preset = Config::preset(name).map_err(SourceError::Config)?;
            preset.with_settings(settings).map_err(SourceError::Config)
        }
        Source::File(path) => {
            let text = std::fs::read_to_string(path).map_err(|source| SourceError::Read { path: path.clone(), source })?;
            let config = Config::parse_toml(&text).and_then(|config| config.with_settings(settings));
            config.map_err(|error| locate(error, path, text, settings))
        }
    }
}

/// Points into the file if the error is there and not in a setting.
fn locate(error: ConfigError, path: &Path, text: String, settings: &[String]) -> SourceError {
    let found = match &error {
        ConfigError::Toml(toml) => match toml.span().filter(|_| !text.trim().is_empty()) {
            Some(span) => {
                Some((format!("not a valid configuration: {}", toml.message()), span.clone(), expected(&text, &span, toml.message())))
            }
            None => return SourceError::Incomplete { path: path.into(), message: toml.message().into() },
        },
        ConfigError::Value { field, value, legal } if !set(settings, field) => {
            span(&text, field).map(|span| (format!("{field} = {value} is not legal"), span, format!("must be {legal}")))
        }
        _ => None,
    };
    match found {
        Some((message, span, label)) => {
            let file = Arc::new(NamedSource::new(path.display().to_string(), text).with_language("TOML"));
            SourceError::InFile { message, file, span: span.into(), label }
        }
        None => SourceError::Config(error),
    }
}

/// What the key whose value is at `place` may be; the message where that is no value of a key.
fn expected(text: &str, place: &Range<usize>, message: &str) -> String {
    let within = |key: &&str| span(text, key).is_some_and(|span| span.start <= place.start && place.end <= span.end);
    let key = keys().find(within);
    key.and_then(|key| Some(format!("{key} must be {}", legal(key)?))).unwrap_or_else(|| message.to_string())
}

fn set(settings: &[String], field: &str) -> bool {
    settings.iter().filter_map(|setting| setting.split_once('=')).any(|(key, _)| key.trim() == field)
}

/// Where the value of a dotted key stands.
fn span(text: &str, key: &str) -> Option<Range<usize>> {
    let document = DeTable::parse(text).ok()?;
    let mut parts = key.split('.');
    let first: Option<&Spanned<DeValue>> = document.get_ref().get(parts.next()?);
    let value = parts.fold(first, |value, part| value?.get_ref().as_table()?.get(part));
    value.map(Spanned::span)
}
