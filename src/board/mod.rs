// SPDX-License-Identifier: MIT OR Apache-2.0
//! Boards as a whole: their design for synthesis ([`design`]), and a simulated one behind a pseudo-terminal
//! (`virtual_board`).

pub mod design;
pub mod uart;
#[cfg(unix)]
pub mod virtual_board;
