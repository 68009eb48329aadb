// SPDX-License-Identifier: MIT OR Apache-2.0
//! A serial port of the system, or a pseudo-terminal.

use std::io::{self, ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use serialport::{ClearBuffer, SerialPort};

use super::port::Port;
use super::url::SerialUrl;

/// How long the system may take to accept bytes before the port counts as dead.
const WRITE_LIMIT: Duration = Duration::from_secs(10);

/// Why a port could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("there is no serial port `{path}`; is the board plugged in? {}", known())]
    Missing { path: String },
    #[error("`{path}` is not a serial port")]
    NoPort { path: String },
    #[error(
        "no permission for the serial port `{path}`; on Linux, add yourself to its group (ls -l {path}; often `dialout`) and log in again"
    )]
    Permission { path: String },
    #[error("the serial port `{path}` is in use by another program")]
    Busy { path: String },
    #[error("the serial port `{path}` cannot be opened at {baud} baud: {cause}")]
    Other { path: String, baud: u32, cause: String },
}

/// The ports that there are, for messages.
fn known() -> String {
    let names: Vec<String> = serialport::available_ports().unwrap_or_default().into_iter().map(|p| p.port_name).collect();
    if names.is_empty() { "No port was found".into() } else { format!("There are: {}", names.join(", ")) }
}

/// An open serial port.
pub struct Tty {
    name: String,
    port: Box<dyn SerialPort>,
    start: Instant,
    /// The time-out that the port has now.
    timeout: Duration,
}

impl Tty {
    /// Opens a port, 8N1 without flow control, and forgets what it received before.
    pub fn open(url: &SerialUrl) -> Result<Tty, OpenError> {
        let path = url.path.clone();
        match std::fs::metadata(&path) {
            Err(e) if e.kind() == ErrorKind::NotFound && path.contains('/') => return Err(OpenError::Missing { path }),
            Ok(found) if found.is_file() || found.is_dir() => return Err(OpenError::NoPort { path }),
            _ => {}
        }
        let port = serialport::new(&path, url.baud).timeout(WRITE_LIMIT).open().map_err(|e| refused(url, &e))?;
        // A pseudo-terminal may not know how; what is old is told apart by the greeting anyway.
        let _ = port.clear(ClearBuffer::All);
        Ok(Tty { name: url.to_string(), port, start: Instant::now(), timeout: WRITE_LIMIT })
    }

    fn set_timeout(&mut self, timeout: Duration) -> io::Result<()> {
        if timeout != self.timeout {
            self.port.set_timeout(timeout)?;
            self.timeout = timeout;
        }
        Ok(())
    }
}

fn refused(url: &SerialUrl, error: &serialport::Error) -> OpenError {
    let (path, baud, cause) = (url.path.clone(), url.baud, error.to_string());
    match error.kind() {
        serialport::ErrorKind::Io(ErrorKind::PermissionDenied) => OpenError::Permission { path },
        serialport::ErrorKind::Io(ErrorKind::NotFound) => OpenError::Missing { path },
        _ if cause.contains("Permission denied") => OpenError::Permission { path },
        _ if cause.contains("busy") || cause.contains("exclusive lock") => OpenError::Busy { path },
        _ if cause.contains("Not a typewriter") || cause.contains("ioctl") => OpenError::NoPort { path },
        serialport::ErrorKind::NoDevice if !cause.contains('/') => OpenError::Other { path, baud, cause },
        _ => OpenError::Other { path, baud, cause },
    }
}

impl Port for Tty {
    fn name(&self) -> &str {
        &self.name
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn read(&mut self, to: &mut [u8], until: Duration) -> io::Result<usize> {
        loop {
            let Some(left) = until.checked_sub(self.now()) else { return Ok(0) };
            self.set_timeout(left.max(Duration::from_millis(1)))?;
            match self.port.read(to) {
                Ok(0) => return Err(io::Error::new(ErrorKind::UnexpectedEof, "the other end hung up")),
                Ok(count) => return Ok(count),
                Err(e) if e.kind() == ErrorKind::TimedOut => return Ok(0),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.set_timeout(WRITE_LIMIT)?;
        self.port.write_all(bytes)
    }
}
