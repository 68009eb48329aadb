// SPDX-License-Identifier: MIT OR Apache-2.0
//! An opened shared object and the designs in it.

use std::collections::HashMap;
use std::ffi::{CStr, c_char, c_void};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::build::BuildReport;
use super::{BuildError, Design, Model, Port, SimError, emit, header};

/// Start of every C++ model; mirrors `Head` of `shim.h`.
#[repr(C)]
pub(super) struct Head {
    pub cycles: u64,
    pub status: u32,
}

#[repr(C)]
struct PortInfo {
    name: *const c_char,
    width: u32,
    input: u32,
}

/// Functions of one design; mirrors `Table` of `shim.h`.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct Table {
    abi: u32,
    ports: u32,
    info: unsafe extern "C" fn() -> *const PortInfo,
    pub create: unsafe extern "C" fn(u64) -> *mut Head,
    pub destroy: unsafe extern "C" fn(*mut Head),
    pub port: unsafe extern "C" fn(*mut Head, u32) -> *mut c_void,
    pub eval: unsafe extern "C" fn(*mut Head),
    pub tick: unsafe extern "C" fn(*mut Head),
    pub ticks: unsafe extern "C" fn(*mut Head, u64),
    pub run_until: unsafe extern "C" fn(*mut Head, *const c_void, u32, u64, u64, u64) -> u32,
    pub message: unsafe extern "C" fn(*mut Head) -> *const c_char,
    pub trace_open: unsafe extern "C" fn(*mut Head, *const c_char, u64, u64) -> u32,
    pub trace_close: unsafe extern "C" fn(*mut Head),
    pub coverage_write: unsafe extern "C" fn(*mut Head, *const c_char) -> u32,
}

/// A shared object, opened at most once per process and closed with its last user.
pub(super) struct SharedObject {
    library: libloading::Library,
    report: BuildReport,
}

type Registry = HashMap<String, Weak<SharedObject>>;
static OPEN: Mutex<Option<Registry>> = Mutex::new(None);

impl SharedObject {
    pub fn open_already(key: &str) -> Option<Arc<Self>> {
        OPEN.lock().unwrap_or_else(PoisonError::into_inner).as_ref()?.get(key)?.upgrade()
    }

    pub fn open(key: &str, path: &Path, designs: &[Design], report: BuildReport) -> Result<Arc<Self>, BuildError> {
        let failed = |source| BuildError::Open { top: top_of(designs), source };
        // SAFETY: the object was made by this driver from its own shim; its initialisers only construct the
        // C++ runtime's and Verilator's tables.
        let library = unsafe { libloading::Library::new(path) }.map_err(failed)?;
        let object = Arc::new(Self { library, report });
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        let registry = open.get_or_insert_default();
        registry.retain(|_, object| object.strong_count() > 0);
        registry.insert(key.to_owned(), Arc::downgrade(&object));
        Ok(object)
    }

    fn table(&self, index: u32) -> Option<*const Table> {
        // SAFETY: `heddle_table` is emitted with exactly this type by `emit.rs`.
        let table = unsafe {
            let get = self.library.get::<unsafe extern "C" fn(u32) -> *const Table>(b"heddle_table\0").ok()?;
            get(index)
        };
        (!table.is_null()).then_some(table)
    }
}

fn top_of(designs: &[Design]) -> String {
    designs.first().map(|d| d.top.clone()).unwrap_or_default()
}

/// A built design. Cheap to clone; each `Model` made from it has its own state.
#[derive(Clone)]
pub struct Library {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub top: String,
    pub ports: Vec<Port>,
    pub clocked: bool,
    table: *const Table,
    // Keeps the code behind `table` mapped.
    object: Arc<SharedObject>,
}

// SAFETY: `table` points to constant data of the shared object, which `object` keeps alive; its functions have
// no state but that of the model they are given and Verilator's own, which is guarded by its mutexes.
unsafe impl Send for Inner {}
// SAFETY: as above.
unsafe impl Sync for Inner {}

impl Inner {
    pub fn table(&self) -> &Table {
        // SAFETY: non-null (checked in `Library::all`), constant, and alive as long as `self.object`.
        unsafe { &*self.table }
    }
}

impl Library {
    /// One library per design of the object, in order.
    pub(super) fn all(object: Arc<SharedObject>, designs: &[Design]) -> Result<Vec<Self>, BuildError> {
        designs.iter().enumerate().map(|(index, design)| Self::one(&object, index as u32, design)).collect()
    }

    fn one(object: &Arc<SharedObject>, index: u32, design: &Design) -> Result<Self, BuildError> {
        let wrong = |found: String| BuildError::Abi { top: design.top.clone(), found, needed: format!("interface {}", emit::ABI) };
        let table = object.table(index).ok_or_else(|| wrong("no table".into()))?;
        // SAFETY: a non-null table's first word is its interface version in every version.
        let abi = unsafe { (*table).abi };
        if abi != emit::ABI {
            return Err(wrong(format!("interface {abi}")));
        }
        // SAFETY: the version matches, so the layout is `Table`, and `info` returns that many entries.
        let ports = unsafe { port_list(&*table) };
        header::check(design, &ports)?;
        let inner = Inner { top: design.top.clone(), ports, clocked: design.clock.is_some(), table, object: Arc::clone(object) };
        Ok(Self { inner: Arc::new(inner) })
    }

    pub fn top(&self) -> &str {
        &self.inner.top
    }

    /// All ports of the top, in order of declaration.
    pub fn ports(&self) -> &[Port] {
        &self.inner.ports
    }

    /// How this library was built, or that it came from the cache.
    pub fn report(&self) -> &BuildReport {
        &self.inner.object.report
    }

    /// A new instance, all zero before its first evaluation.
    pub fn instance(&self) -> Result<Model, SimError> {
        Model::new(self.clone(), 0)
    }

    /// A new instance whose unreset state comes from `seed`, if built with `random_init`.
    pub fn instance_seeded(&self, seed: u64) -> Result<Model, SimError> {
        Model::new(self.clone(), seed.max(1))
    }
}

/// # Safety
/// `table` must have the layout of this driver's version.
unsafe fn port_list(table: &Table) -> Vec<Port> {
    // SAFETY: `info` returns an array of `ports` entries whose names are C string literals.
    unsafe {
        let info = (table.info)();
        (0..table.ports as usize)
            .map(|i| {
                let port = &*info.add(i);
                let name = CStr::from_ptr(port.name).to_string_lossy().into_owned();
                Port { name, width: port.width, input: port.input != 0 }
            })
            .collect()
    }
}

/// Bytes of the cache in use, and its folder.
pub fn cache_size() -> (PathBuf, u64) {
    let folder = super::cache_dir();
    let size = folder_bytes(&folder);
    (folder, size)
}

fn folder_bytes(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    entries
        .filter_map(Result::ok)
        .filter_map(|entry| Some((entry.file_type().ok()?, entry)))
        .map(|(kind, entry)| match kind.is_dir() {
            true => folder_bytes(&entry.path()),
            false => entry.metadata().map_or(0, |m| m.len()),
        })
        .sum()
}
