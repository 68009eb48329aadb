// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a routed design to its bitstream, cached by content.

use crate::{
    Family, SynthError,
    route::{self, Routed},
    run::{read, write},
};
use heddle_tools::{
    Program,
    cache::{self, Key},
    find_pinned,
};
use std::{
    path::{Path, PathBuf},
    time::Instant,
};

/// Folder of the cache.
const KIND: &str = "bitstream";
const PACKED: &str = "design.bit";
const TIME: &str = "seconds";

/// A bitstream.
#[derive(Clone, Debug)]
pub struct Packed {
    pub file: PathBuf,
    /// The key of what it was made of.
    pub key: String,
    /// Of the run that made it.
    pub seconds: f64,
}

/// Packs a routed design; `top` is for messages.
pub fn pack(routed: &Routed, family: Family, top: &str) -> Result<Packed, SynthError> {
    let program = packer(family)?;
    let image = routed.folder.join(route::image(family));
    let key = key(&program, &image)?;
    let folder = cache::get_or_build(KIND, &key, |folder| run(&program, &image, family, top, folder))?;
    opened(&folder, key)
}

/// The bitstream if it was packed before.
pub fn packed(routed: &Routed, family: Family) -> Result<Option<Packed>, SynthError> {
    let key = key(&packer(family)?, &routed.folder.join(route::image(family)))?;
    cache::find(KIND, &key).map(|folder| opened(&folder, key)).transpose()
}

fn packer(family: Family) -> Result<Program, SynthError> {
    Ok(find_pinned(match family {
        Family::Ecp5 => "ecppack",
        Family::Ice40 => "icepack",
    })?)
}

fn key(program: &Program, image: &Path) -> Result<String, SynthError> {
    let text = std::fs::read_to_string(image).map_err(SynthError::file(image))?;
    Ok(Key::new(KIND).part(&program.version).part(&text).finish())
}

fn opened(folder: &Path, key: String) -> Result<Packed, SynthError> {
    Ok(Packed { file: folder.join(PACKED), key, seconds: read(&folder.join(TIME))? })
}

/// WebAssembly sees no absolute path below `/tmp`: all files are in one folder.
fn run(program: &Program, image: &Path, family: Family, top: &str, folder: &Path) -> Result<(), SynthError> {
    let name = route::image(family);
    let copy = folder.join(name);
    std::fs::copy(image, &copy).map_err(SynthError::file(image))?;
    let mut command = program.command();
    if family == Family::Ecp5 {
        command.arg("--compress");
    }
    let start = Instant::now();
    let out = command.current_dir(folder).args([name, PACKED]).output().map_err(SynthError::file(&program.path))?;
    if !out.status.success() || !folder.join(PACKED).is_file() {
        let message = String::from_utf8_lossy(&out.stderr).trim().to_owned();
        return Err(SynthError::Failed { tool: "the bitstream packer", top: top.into(), message });
    }
    std::fs::remove_file(&copy).map_err(SynthError::file(&copy))?;
    write(&folder.join(TIME), &start.elapsed().as_secs_f64())
}
