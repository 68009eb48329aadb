// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a wave viewer needs to show power states by name: a save file for GTKWave and its table of names.

use heddle_core::config::Config;
use heddle_core::power::domain::STATES;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The accelerator in a trace of the simulation.
const SCOPE: &str = "top.top";
/// A bit, shown as it is.
const BIT: &str = "@28";
/// Hexadecimal, right-justified, by way of a table of names.
const NAMED: &str = "@2022";
/// What is shown of each domain besides its state, from the outputs of its controller.
const SHOWN: [&str; 7] = ["qreqn_o", "clock_enable_o", "isolate_o", "domain_rst_o", "weak_on_o", "strong_on_o", "on_o"];

/// Writes `TRACE.gtkw` and `TRACE.states.txt` beside a trace of hardware with power domains; gives the former.
pub fn save(trace: &Path, config: &Config) -> std::io::Result<Option<PathBuf>> {
    if config.domains() == 0 {
        return Ok(None);
    }
    let (view, names) = (beside(trace, ".gtkw"), beside(trace, ".states.txt"));
    std::fs::write(&names, states())?;
    std::fs::write(&view, layout(trace, &names, config.domains()))?;
    Ok(Some(view))
}

/// One line per state: its code as the viewer shows it, and its name.
fn states() -> String {
    STATES.iter().map(|state| format!("{:02X} {}\n", state.value, state.name)).collect()
}

fn layout(trace: &Path, names: &Path, domains: u32) -> String {
    let mut text = format!("[dumpfile] \"{}\"\n{BIT}\n{SCOPE}.clk_i\n", trace.display());
    for domain in 0..domains {
        let controller = format!("{SCOPE}.power.domain_{domain}");
        text += &format!("@200\n-Power domain {domain}\n{NAMED}\n^1 {}\n{controller}.state_code_o[4:0]\n{BIT}\n", names.display());
        SHOWN.iter().for_each(|port| text += &format!("{controller}.{port}\n"));
    }
    text
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(suffix);
    name.into()
}
