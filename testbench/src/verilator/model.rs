// SPDX-License-Identifier: MIT OR Apache-2.0
//! One instance of a verilated design.

use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::NonNull;

use super::library::{Head, Library, Table};
use super::{SimError, header};

/// A port of a model: an index that `Model` resolves. A handle serves every model of the same library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortHandle(u32);

#[derive(Clone, Copy)]
struct Slot {
    pointer: NonNull<u8>,
    /// 1, 2, 4, 8, or a multiple of 4 above 8.
    bytes: u32,
    /// Bits of the last storage word that belong to the port.
    mask: u64,
}

/// An instance with its own state; may move between threads.
pub struct Model {
    head: NonNull<Head>,
    slots: Box<[Slot]>,
    /// A copy, for one load less per call; `library` keeps the code it points to.
    table: Table,
    clocked: bool,
    library: Library,
}

// SAFETY: the C++ object has a `VerilatedContext` of its own and is reached only through `&mut self`, or
// through `&self` for reads of port bytes that only `&mut self` methods change.
unsafe impl Send for Model {}

impl Model {
    pub(super) fn new(library: Library, seed: u64) -> Result<Self, SimError> {
        let create = || SimError::Create { top: library.inner.top.clone() };
        let table = *library.inner.table();
        // SAFETY: the table is that of this design; `create` returns null on failure.
        let head = NonNull::new(unsafe { (table.create)(seed) }).ok_or_else(create)?;
        let mut model = Self { head, slots: Box::default(), table, clocked: library.inner.clocked, library: library.clone() };
        let slots: Option<Box<[Slot]>> = library
            .inner
            .ports
            .iter()
            .enumerate()
            .map(|(index, port)| {
                // SAFETY: `head` is alive; `port` returns the address of a member or null.
                let pointer = NonNull::new(unsafe { (table.port)(head.as_ptr(), index as u32) }.cast::<u8>())?;
                let bytes = header::storage_bytes(port.width) as u32;
                Some(Slot { pointer, bytes, mask: last_word_mask(port.width) })
            })
            .collect();
        model.slots = slots.ok_or_else(create)?;
        Ok(model)
    }

    pub fn library(&self) -> &Library {
        &self.library
    }

    /// The handle of a port, by its Verilog name.
    pub fn port(&self, name: &str) -> Result<PortHandle, SimError> {
        let ports = self.library.ports();
        match ports.iter().position(|p| p.name == name) {
            Some(index) => Ok(PortHandle(index as u32)),
            None => Err(SimError::NoPort {
                top: self.library.top().to_owned(),
                name: name.to_owned(),
                known: ports.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(", "),
            }),
        }
    }

    /// Width of a port in bits.
    pub fn width(&self, port: PortHandle) -> u32 {
        self.library.ports()[port.0 as usize].width
    }

    /// Value of a port; its low 64 bits if it is wider.
    #[inline]
    pub fn get(&self, port: PortHandle) -> u64 {
        let slot = self.slots[port.0 as usize];
        let pointer = slot.pointer.as_ptr();
        // SAFETY: the member has `slot.bytes` bytes (asserted when the shim was compiled), is aligned for its
        // type, and lives as long as the model. Words wider than 8 bytes are aligned to 4 only.
        unsafe {
            match slot.bytes {
                1 => u64::from(pointer.read()),
                2 => u64::from(pointer.cast::<u16>().read()),
                4 => u64::from(pointer.cast::<u32>().read()),
                _ => pointer.cast::<u64>().read_unaligned(),
            }
        }
    }

    /// Sets an input; bits above its width are dropped, bits of a wider port above 64 become zero.
    #[inline]
    pub fn set(&mut self, port: PortHandle, value: u64) {
        let slot = self.slots[port.0 as usize];
        let pointer = slot.pointer.as_ptr();
        // SAFETY: as in `get`; `&mut self` excludes other access.
        unsafe {
            match slot.bytes {
                1 => pointer.write((value & slot.mask) as u8),
                2 => pointer.cast::<u16>().write((value & slot.mask) as u16),
                4 => pointer.cast::<u32>().write((value & slot.mask) as u32),
                8 => pointer.cast::<u64>().write(value & slot.mask),
                _ => self.set_bytes(port, &value.to_le_bytes()),
            }
        }
    }

    /// The port's storage: little-endian, `width / 8` bytes rounded up to 1, 2, 4, 8 or whole 32-bit words.
    #[inline]
    pub fn bytes(&self, port: PortHandle) -> &[u8] {
        let slot = self.slots[port.0 as usize];
        // SAFETY: as in `get`; the borrow of `self` keeps writers away.
        unsafe { std::slice::from_raw_parts(slot.pointer.as_ptr(), slot.bytes as usize) }
    }

    /// Sets an input from little-endian bytes: missing ones are zero, those above its width are dropped.
    #[inline]
    pub fn set_bytes(&mut self, port: PortHandle, value: &[u8]) {
        let slot = self.slots[port.0 as usize];
        // SAFETY: as in `set`.
        let storage = unsafe { std::slice::from_raw_parts_mut(slot.pointer.as_ptr(), slot.bytes as usize) };
        if value.len() == storage.len() {
            storage.copy_from_slice(value);
        } else {
            let common = value.len().min(storage.len());
            storage[..common].copy_from_slice(&value[..common]);
            storage[common..].fill(0);
        }
        if slot.mask != full_mask(slot.bytes) {
            mask_last_word(storage, slot.mask);
        }
    }

    /// A wide port as 32-bit words, least significant first; empty for ports of up to 64 bits.
    #[inline]
    pub fn words(&self, port: PortHandle) -> &[u32] {
        let slot = self.slots[port.0 as usize];
        if slot.bytes <= 8 {
            return &[];
        }
        // SAFETY: wide ports are arrays of u32, aligned to 4.
        unsafe { std::slice::from_raw_parts(slot.pointer.as_ptr().cast(), slot.bytes as usize / 4) }
    }

    /// Settles combinational paths after inputs changed. The clock, if there is one, is low while it does.
    #[inline]
    pub fn eval(&mut self) -> Result<(), SimError> {
        self.ready()?;
        // SAFETY: the model is alive and running.
        unsafe { (self.table.eval)(self.head.as_ptr()) };
        self.ready()
    }

    /// One rising clock edge: inputs as they are now, outputs as they are after it.
    #[inline]
    pub fn tick(&mut self) -> Result<(), SimError> {
        self.clocked()?;
        // SAFETY: the model is alive and running.
        unsafe { (self.table.tick)(self.head.as_ptr()) };
        self.ready()
    }

    /// `n` clock cycles with constant inputs.
    #[inline]
    pub fn tick_n(&mut self, n: u64) -> Result<(), SimError> {
        self.clocked()?;
        // SAFETY: the model is alive and running.
        unsafe { (self.table.ticks)(self.head.as_ptr(), n) };
        self.ready()
    }

    /// Ticks until a port of at most 64 bits has `value`; returns the cycles it took.
    ///
    /// The port is looked at before each tick, so 0 means that it had the value already.
    pub fn run_until(&mut self, port: PortHandle, value: u64, limit: u64) -> Result<u64, SimError> {
        self.clocked()?;
        let slot = self.slots[port.0 as usize];
        let name = &self.library.ports()[port.0 as usize].name;
        if slot.bytes > 8 {
            let (top, width) = (self.library.top().to_owned(), self.width(port));
            return Err(SimError::Width { top, name: name.clone(), width, legal: "run_until takes at most 64" });
        }
        let what = format!("`{name}` = {value}");
        let start = self.cycles();
        let run_until = self.table.run_until;
        // SAFETY: the model is alive and running, and the pointer is that of its port with its size.
        let met = unsafe { run_until(self.head.as_ptr(), slot.pointer.as_ptr().cast(), slot.bytes, slot.mask, value, limit) };
        self.ready()?;
        match met {
            0 => Err(SimError::Limit { what, limit, cycle: self.cycles() }),
            _ => Ok(self.cycles() - start),
        }
    }

    /// Rising clock edges so far.
    #[inline]
    pub fn cycles(&self) -> u64 {
        // SAFETY: `Head` is at the start of the live C++ model.
        unsafe { (*self.head.as_ptr()).cycles }
    }

    /// Starts a trace of the cycles in `window` (rising edges counted from 0). Needs a library built with it.
    pub fn trace_start(&mut self, path: &Path, window: std::ops::Range<u64>) -> Result<(), SimError> {
        let output = |reason| SimError::Output { path: path.to_owned(), reason };
        self.ready()?;
        let text = CString::new(path.as_os_str().as_bytes()).map_err(|_| output("the name has a NUL byte"))?;
        let last = window.end.saturating_sub(1);
        // SAFETY: the model is alive, `text` is a C string that outlives the call.
        let open = unsafe { (self.table.trace_open)(self.head.as_ptr(), text.as_ptr(), window.start, last) };
        self.ready()?;
        match open {
            0 => Err(output("it cannot be opened")),
            2 => Err(output("the library was built without `BuildOptions::trace`")),
            _ => Ok(()),
        }
    }

    /// Ends the trace and completes its file; dropping the model does the same.
    pub fn trace_stop(&mut self) {
        // SAFETY: the model is alive; closing without a trace does nothing.
        unsafe { (self.table.trace_close)(self.head.as_ptr()) };
    }

    /// Writes coverage in Verilator's format; `verilator_coverage --write-info` turns it into lcov.
    pub fn coverage_write(&mut self, path: &Path) -> Result<(), SimError> {
        let output = |reason| SimError::Output { path: path.to_owned(), reason };
        let text = CString::new(path.as_os_str().as_bytes()).map_err(|_| output("the name has a NUL byte"))?;
        // SAFETY: the model is alive, `text` is a C string that outlives the call.
        match unsafe { (self.table.coverage_write)(self.head.as_ptr(), text.as_ptr()) } {
            0 => Err(output("the library was built without `BuildOptions::coverage`")),
            _ => Ok(()),
        }
    }

    #[inline]
    fn clocked(&self) -> Result<(), SimError> {
        if !self.clocked {
            return Err(SimError::NoClock { top: self.library.top().to_owned() });
        }
        self.ready()
    }

    /// An error if the model has stopped; a stopped model is not evaluated again.
    #[inline]
    fn ready(&self) -> Result<(), SimError> {
        // SAFETY: `Head` is at the start of the live C++ model.
        match unsafe { (*self.head.as_ptr()).status } {
            0 => Ok(()),
            status => Err(self.stopped(status)),
        }
    }

    #[cold]
    fn stopped(&self, status: u32) -> SimError {
        let (top, cycle) = (self.library.top().to_owned(), self.cycles());
        if status == 1 {
            return SimError::Finished { top, cycle };
        }
        // SAFETY: the model is alive; the text is copied before it can change.
        let message = unsafe { CStr::from_ptr((self.table.message)(self.head.as_ptr())) };
        SimError::Failed { top, cycle, message: message.to_string_lossy().into_owned() }
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        // SAFETY: `head` came from this table's `create` and is destroyed once.
        unsafe { (self.table.destroy)(self.head.as_ptr()) };
    }
}

fn last_word_mask(width: u32) -> u64 {
    let used = if width <= 64 { width } else { (width - 1) % 32 + 1 };
    u64::MAX >> (64 - used)
}

/// Clears the bits of a port's last storage word that are above its width.
fn mask_last_word(storage: &mut [u8], mask: u64) {
    let word = if storage.len() > 8 { 4 } else { storage.len() };
    let start = storage.len() - word;
    for (byte, mask) in storage[start..].iter_mut().zip(mask.to_le_bytes()) {
        *byte &= mask;
    }
}

fn full_mask(bytes: u32) -> u64 {
    let bits = if bytes > 8 { 32 } else { 8 * bytes };
    u64::MAX >> (64 - bits)
}
