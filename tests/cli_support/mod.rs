// SPDX-License-Identifier: MIT OR Apache-2.0
//! What tests of the command line share.

use std::process::Output;

/// The message of a run that must have failed with code 2, without a panic.
pub fn message(output: Output) -> String {
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(!text.contains("panicked"), "{text}");
    text
}
