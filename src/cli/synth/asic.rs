// SPDX-License-Identifier: MIT OR Apache-2.0
//! `heddle synth --asic`: area and power in standard cells.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use heddle_synth::asic::Library;
use heddle_tools::{Group, find_yosys, provision, reference_data};

use super::{BlockName, SynthArgs, config, save};
use crate::asic::{self, view};
use crate::cli::device::spinner;
use crate::generate::source::{self, Source};

/// The ASIC view. A block is shown as it is within the engine.
pub fn run(args: &SynthArgs) -> Result<ExitCode> {
    let bar = spinner(args.json);
    if find_yosys().is_err() {
        provision(Group::Synth, &mut |line| bar.set_message(line.to_string()))?;
    }
    let library = Library::read(&match args.liberty.as_slice() {
        [] => reference_library(),
        given => given.to_vec(),
    })?;
    let presets = match (&args.preset, &args.config) {
        (None, None) => vec!["nano", "gated"],
        _ => vec![""],
    };
    let mut views = vec![];
    for preset in presets {
        let config = if preset.is_empty() { config(args)? } else { source::load(&Source::Preset(preset.into()), &args.settings)? };
        views.push(view(&config, &library, &|line| bar.set_message(line.to_owned()))?);
    }
    bar.finish_and_clear();
    let below = match args.block {
        BlockName::Engine => "",
        BlockName::Array => "array",
        BlockName::Column => "array/column_0",
        BlockName::Packed => bail!("the packed column is for the multipliers of an FPGA; with --asic choose column, array or engine"),
    };
    for view in &views {
        match args.json {
            true => println!("{}", serde_json::to_string(view)?),
            false => println!("{}", view.markdown(below, 2 + below.matches('/').count())),
        }
        if let Some(folder) = &args.out {
            save(&folder.join("power.json"), &serde_json::to_string_pretty(view)?)?;
            save(&folder.join("asic.md"), &view.markdown("", usize::MAX))?;
        }
    }
    if args.docs {
        save(&args.dir.join("results/asic.md"), &asic::page(&views))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The library of the reference data, if it is there.
fn reference_library() -> Vec<PathBuf> {
    let file = reference_data().join("liberty/ihp-sg13g2/sg13g2_stdcell_typ_1p20V_25C.lib.gz");
    if file.is_file() { vec![file] } else { vec![] }
}
