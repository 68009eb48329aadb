// SPDX-License-Identifier: MIT OR Apache-2.0
//! A stream of bytes with a clock: what the link needs of a serial port.

use std::io;
use std::time::Duration;

/// Bytes to and from a board.
pub trait Port: Send {
    /// For messages.
    fn name(&self) -> &str;

    /// Time since some moment in the past; that of a simulated wire need not be that of the wall.
    fn now(&self) -> Duration;

    /// At least one byte, or 0 when `until` has passed. An error means that the port is of no more use.
    fn read(&mut self, to: &mut [u8], until: Duration) -> io::Result<usize>;

    /// All of the bytes. An error means that the port is of no more use.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;
}

impl Port for Box<dyn Port> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn now(&self) -> Duration {
        (**self).now()
    }

    fn read(&mut self, to: &mut [u8], until: Duration) -> io::Result<usize> {
        (**self).read(to, until)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        (**self).write(bytes)
    }
}
