// SPDX-License-Identifier: MIT OR Apache-2.0
//! The stream rule that structure can show: no combinational path from ready back to valid or data.
//!
//! A stream is a pair of ports whose names differ in `valid` and `ready` only: `out_valid` and `out_ready`,
//! `arvalid` and `arready`.

use super::comb::Matrix;
use crate::module::*;

pub fn check(m: &Module, paths: &Matrix) -> Vec<String> {
    let mut errors = Vec::new();
    for (_, valid) in m.ports().filter(|(_, n)| n.kind == NetKind::Output) {
        let Some(stem) = valid.name.strip_suffix("valid") else { continue };
        let ready = format!("{stem}ready");
        if m.port(&ready).is_none_or(|(_, n)| n.kind != NetKind::Input) {
            continue;
        }
        for part in ["valid", "data"].map(|part| format!("{stem}{part}")) {
            if paths.get(&part).is_some_and(|inputs| inputs.contains(&ready)) {
                errors.push(format!("a combinational path leads from `{ready}` back to `{part}`"));
            }
        }
    }
    errors
}
