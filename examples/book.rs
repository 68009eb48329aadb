// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writes the generated part of the documentation; with `--check`, lists what is stale and exits with 1.

use heddle::book;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let check = std::env::args().any(|argument| argument == "--check");
    let result = if check { book::stale(root) } else { book::write(root) };
    match result {
        Ok(changed) => {
            changed.iter().for_each(|path| println!("{} {}", if check { "stale:" } else { "written:" }, path.display()));
            ExitCode::from(u8::from(check && !changed.is_empty()))
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}
