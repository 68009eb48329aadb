// SPDX-License-Identifier: MIT OR Apache-2.0
//! From modules to SMT-LIB: the emitted Verilog with `FORMAL` defined, through Yosys.

use super::{FormalError, model::Model};
use crate::tools::Yosys;
use heddle_lang::{Module, module::Item, verilog};
use std::{fmt::Write, path::Path, sync::Arc};

/// The models of modules, by one run of Yosys, which takes longer to start than to work.
pub fn models(yosys: &Yosys, modules: &[Arc<Module>]) -> Result<Vec<Model>, FormalError> {
    let folder = tempfile::tempdir().map_err(|e| FormalError::Files(e.to_string()))?;
    let mut script = String::new();
    for (i, module) in modules.iter().enumerate() {
        one_clock(module)?;
        let files = emit(module, &folder.path().join(i.to_string()))?;
        let _ = writeln!(script, "design -reset");
        let files: Vec<String> = files.iter().map(|file| format!("{i}/{file}")).collect();
        let _ = writeln!(script, "read_verilog -formal {}", files.join(" "));
        let _ = writeln!(script, "{}", passes(&module.name, i));
    }
    std::fs::write(folder.path().join("all.ys"), script).map_err(|e| FormalError::Files(e.to_string()))?;
    let out = yosys.command().arg("-q").arg("all.ys").current_dir(folder.path()).output();
    let out = out.map_err(|e| FormalError::Yosys(e.to_string()))?;
    if !out.status.success() {
        let text = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
        return Err(FormalError::Yosys(format!("{}: {}", out.status, last_lines(&text))));
    }
    modules.iter().enumerate().map(|(i, module)| read(module, &folder.path().join(format!("{i}.smt2")))).collect()
}

/// Properties are sampled before the edge that ends a cycle, as the simulators do, so they need no trigger of their
/// own: a cycle of the proof is a cycle of the clock. What is undefined (a word beyond the end of a memory) is any
/// value, and memories become registers.
fn passes(top: &str, i: usize) -> String {
    format!(
        "prep -flatten -top {top}\nsetparam -set TRG_ENABLE 0 t:$check\nchformal -lower\nmemory_map\nopt_clean\n\
         setundef -undriven -anyseq\ndffunmap\nwrite_smt2 -wires {i}.smt2"
    )
}

fn emit(module: &Arc<Module>, folder: &Path) -> Result<Vec<String>, FormalError> {
    let failed = |e: std::io::Error| FormalError::Files(e.to_string());
    std::fs::create_dir(folder).map_err(failed)?;
    let mut names = Vec::new();
    for file in verilog::files(module, &verilog::Options::default())? {
        std::fs::write(folder.join(&file.name), &file.text).map_err(failed)?;
        names.push(file.name);
    }
    Ok(names)
}

fn read(module: &Arc<Module>, path: &Path) -> Result<Model, FormalError> {
    let text = std::fs::read_to_string(path).map_err(|e| FormalError::Files(e.to_string()))?;
    let model = Model::parse(&text)?;
    let found = model.asserts.len() + model.assumes.len() + model.covers.len();
    let expected = count(module);
    if found != expected {
        return Err(FormalError::Lost { module: module.name.clone(), expected, found });
    }
    Ok(model)
}

/// Properties of a module and of all instances below it.
fn count(module: &Module) -> usize {
    let own = module.items.iter().filter(|i| matches!(i, Item::Property(_))).count();
    own + module.instances().map(|i| count(&i.module)).sum::<usize>()
}

/// A proof knows one clock, whose edge ends each cycle.
fn one_clock(top: &Arc<Module>) -> Result<(), FormalError> {
    let clocks = |m: &Module| m.ports().filter(|(_, net)| net.kind == heddle_lang::module::NetKind::Clock).count();
    match top.hierarchy().iter().find(|m| clocks(m) > 1) {
        Some(m) => Err(FormalError::Clocks { module: m.name.clone() }),
        None => Ok(()),
    }
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(5)..].join("\n")
}
