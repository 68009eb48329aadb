// SPDX-License-Identifier: MIT OR Apache-2.0
//! Seals of cache entries: length and SHA-256 of each file, so that a damaged library is never opened.
//!
//! Opening a shared object that was cut short ends the process with a bus error, which nothing can catch.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// The file with the seal: one line `<SHA-256> <bytes> <name>` for each other file, sorted.
const NAME: &str = "SEAL";

/// Seals the files of `folder` and brings everything to the disk, so that a rename publishes it whole.
pub(crate) fn seal(folder: &Path) -> io::Result<()> {
    let files = files(folder)?;
    for file in &files {
        File::open(file)?.sync_all()?;
    }
    let path = folder.join(NAME);
    std::fs::write(&path, text(&files)?)?;
    File::open(&path)?.sync_all()?;
    sync_folder(folder);
    Ok(())
}

/// Whether `folder` holds exactly the files that were sealed, with the same bytes.
pub(crate) fn is_whole(folder: &Path) -> bool {
    let Ok(seal) = std::fs::read_to_string(folder.join(NAME)) else { return false };
    files(folder).and_then(|files| text(&files)).is_ok_and(|text| text == seal)
}

/// Brings the names in a folder to the disk, on file systems that can.
pub(crate) fn sync_folder(folder: &Path) {
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
}

fn text(files: &[PathBuf]) -> io::Result<String> {
    files.iter().map(|path| line(path)).collect()
}

fn line(path: &Path) -> io::Result<String> {
    let (mut hash, mut file) = (Sha256::new(), File::open(path)?);
    let bytes = io::copy(&mut file, &mut hash)?;
    let digest: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{digest} {bytes} {}\n", path.file_name().unwrap_or_default().to_string_lossy()))
}

/// All files but the seal, sorted.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    files.retain(|path| path.file_name().is_none_or(|name| name != NAME));
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_change_breaks_the_seal() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (dir.path().join("a.so"), dir.path().join("b.o"));
        let good = vec![7; 5000];
        std::fs::write(&b, "object").unwrap();
        let changes: [&dyn Fn(); 5] = [
            &|| std::fs::write(&a, &good[..1000]).unwrap(),
            &|| std::fs::write(&a, [&good[..4999], &[6]].concat()).unwrap(),
            &|| std::fs::remove_file(&a).unwrap(),
            &|| std::fs::write(dir.path().join("c.o"), "").unwrap(),
            &|| std::fs::write(dir.path().join(NAME), "").unwrap(),
        ];
        for (index, change) in changes.iter().enumerate() {
            let _ = std::fs::remove_file(dir.path().join("c.o"));
            std::fs::write(&a, &good).unwrap();
            seal(dir.path()).unwrap();
            assert!(is_whole(dir.path()), "{index}");
            change();
            assert!(!is_whole(dir.path()), "{index}");
        }
    }
}
