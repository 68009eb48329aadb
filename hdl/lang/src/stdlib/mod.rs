// SPDX-License-Identifier: MIT OR Apache-2.0
//! Building blocks with valid/ready streams; one file each, with its golden model and its test.
//!
//! A stream obeys four rules: a transfer happens in a cycle in which valid and ready are both high; a
//! producer does not wait for ready; once valid is high it stays, with stable data, until the transfer; no
//! combinational path leads from ready back to valid. [`stream::Monitor`] and [`stream::checker`] watch them.

pub mod arbiter;
pub mod counter;
pub mod delay_line;
pub mod fifo;
pub mod gearbox;
pub mod pair;
pub mod skid;
pub mod stream;
pub mod synchroniser;
pub mod testing;

pub use arbiter::{fixed_priority, round_robin};
pub use counter::counter;
pub use delay_line::delay_line;
pub use fifo::fifo;
pub use gearbox::gearbox;
pub use pair::pair;
pub use skid::skid;
pub use stream::Stream;
pub use synchroniser::synchroniser;
