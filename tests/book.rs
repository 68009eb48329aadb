// SPDX-License-Identifier: MIT OR Apache-2.0
//! The generated part of the documentation is what the source says, and its links lead somewhere.

use heddle::book;
use std::path::{Path, PathBuf};
use std::{fs, process::Command};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn generated_documentation_is_current() {
    let stale = book::stale(root()).unwrap();
    assert!(stale.is_empty(), "stale: {stale:?}; `cargo run --release --example book` writes them");
}

/// Pages with links: those in version control, or all Markdown files where there is no git.
fn pages() -> Vec<PathBuf> {
    let listed = Command::new("git").args(["ls-files", "-co", "--exclude-standard", "*.md"]).current_dir(root()).output();
    let listed = listed.ok().filter(|out| out.status.success()).map(|out| String::from_utf8_lossy(&out.stdout).into_owned());
    let names = listed.unwrap_or_else(|| "README.md\n".into());
    names.lines().map(|name| root().join(name)).filter(|path| path.is_file()).collect()
}

#[test]
fn links_between_pages_lead_somewhere() {
    let link = regex::Regex::new(r"\]\(([^)#]+)(#[^)]*)?\)").unwrap();
    let mut broken = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for target in link.captures_iter(&text).map(|c| c[1].to_string()) {
            if !target.contains("://") && !page.parent().unwrap().join(&target).exists() {
                broken.push(format!("{}: {target}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}
