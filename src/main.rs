// SPDX-License-Identifier: MIT OR Apache-2.0
//! The `heddle` command; see `heddle --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    heddle::cli::main()
}
