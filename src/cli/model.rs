// SPDX-License-Identifier: MIT OR Apache-2.0
//! Opening a model for a command, with a progress bar where it is fetched.

use std::sync::Arc;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};

use crate::model::fetch::Progress;
use crate::model::gguf::Gguf;
use crate::model::open;

/// Opens the model of this name or path.
pub fn open_model(name: &str, quiet: bool) -> Result<Arc<Gguf>> {
    let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::no_length() };
    let style = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let gguf = open(name, &mut |progress| {
        let (what, done, total) = match progress {
            Progress::Download { done, total } => ("fetching", done, total),
            Progress::Unpack { done, total } => ("unpacking", done, total),
        };
        bar.set_message(what);
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    Ok(Arc::new(gguf?))
}
