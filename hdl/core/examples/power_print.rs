// SPDX-License-Identifier: MIT OR Apache-2.0
fn main() { let m = heddle_core::power::domain::domain().unwrap(); for f in heddle_lang::verilog::files(&m, &Default::default()).unwrap() { println!("{}", f.text); } }
