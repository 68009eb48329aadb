// SPDX-License-Identifier: MIT OR Apache-2.0
//! The models that are part of the program; see `models/README.md` for their origin.

const Q4_0: &[u8] = include_bytes!("../../models/nano-shakespeare-q4_0.gguf");
const Q8_0: &[u8] = include_bytes!("../../models/nano-shakespeare-q8_0.gguf");

/// The names and files of the embedded models; the first is the default model.
pub const EMBEDDED: [(&str, &[u8]); 3] = [("nano", Q4_0), ("nano-q4_0", Q4_0), ("nano-q8_0", Q8_0)];

/// The file of the embedded model called `name`.
pub fn embedded(name: &str) -> Option<&'static [u8]> {
    EMBEDDED.iter().find(|(n, _)| *n == name).map(|(_, bytes)| *bytes)
}
