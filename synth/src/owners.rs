// SPDX-License-Identifier: MIT OR Apache-2.0
//! To which instance each cell belongs.
//!
//! Most names tell. Halves of carry cells that packing adds have none, and a cell named after a net that it reads may
//! stand on either side of a port: those belong to the carry chain that they are in, else to what reads them.

use crate::{
    names::{Names, Owner},
    netlist::{Cell, Kind},
};
use std::collections::BTreeMap;

/// The path of instances of each cell; None: the harness.
pub fn owners(cells: &[Cell], names: &Names) -> Vec<Option<Vec<String>>> {
    let said: Vec<Owner> = cells.iter().map(|cell| said(cell, names)).collect();
    let mut known: Vec<Option<Vec<String>>> = said.iter().map(certain).collect();
    loop {
        let open = said.iter().enumerate().filter(|(i, owner)| known[*i].is_none() && **owner != Owner::Harness);
        let found: Vec<(usize, Vec<String>)> = open.filter_map(|(i, _)| Some((i, neighbour(&cells[i], &known)?))).collect();
        if found.is_empty() {
            break;
        }
        found.into_iter().for_each(|(i, path)| known[i] = Some(path));
    }
    let owner = |((said, known), cell): ((Owner, Option<Vec<String>>), &Cell)| match (said, known) {
        (Owner::Harness, _) => None,
        (_, Some(path)) => Some(path),
        (Owner::Likely(path), None) => Some(path),
        // What packing made for constants and the like is the top's, a lookup table that reads the harness its own.
        (Owner::Certain(_) | Owner::Unknown, None) => (cell.name.starts_with('$') || is_carry(cell)).then(Vec::new),
    };
    said.into_iter().zip(known).zip(cells).map(owner).collect()
}

fn is_carry(cell: &Cell) -> bool {
    matches!(cell.kind, Kind::Carry | Kind::CarryFf)
}

/// What the name says. The harness has no adders: a carry with the name of one of its nets is the design's.
fn said(cell: &Cell, names: &Names) -> Owner {
    match names.owner(&cell.name) {
        Owner::Harness if is_carry(cell) => Owner::Unknown,
        owner => owner,
    }
}

fn certain(owner: &Owner) -> Option<Vec<String>> {
    match owner {
        Owner::Certain(path) => Some(path.clone()),
        _ => None,
    }
}

/// Where most of its carry chain is that is known; where that says nothing, where most of its readers are, unless packing
/// made it for anyone.
fn neighbour(cell: &Cell, known: &[Option<Vec<String>>]) -> Option<Vec<String>> {
    let readers = if cell.name.starts_with('$') { &[][..] } else { &cell.readers };
    most(&cell.chain, known).or_else(|| most(readers, known))
}

fn most(cells: &[u32], known: &[Option<Vec<String>>]) -> Option<Vec<String>> {
    let mut votes: BTreeMap<&Vec<String>, u32> = BTreeMap::new();
    cells.iter().filter_map(|&i| known.get(i as usize)?.as_ref()).for_each(|path| *votes.entry(path).or_default() += 1);
    votes.into_iter().rev().max_by_key(|(_, count)| *count).map(|(path, _)| path.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Outside;
    use heddle_lang::{Builder, Module, Ty};
    use std::sync::Arc;

    /// `sum` of `a` and a constant in `first`, read by the same module as `second`.
    fn two_adders() -> Arc<Module> {
        let mut inner = Builder::clocked("adder", file!());
        let a = inner.input("a", Ty::Unsigned(8));
        let sum = inner.register("sum", a.wrapping_add(heddle_lang::Expr::constant(Ty::Unsigned(8), 5)));
        inner.output("sum", sum);
        let inner = inner.build().unwrap();
        let mut m = Builder::clocked("outer", file!());
        let a = m.input("a", Ty::Unsigned(8));
        let first = m.instance("first", &inner, &[("a", a)]);
        let second = m.instance("second", &inner, &[("a", first.get("sum"))]);
        m.output("sum", second.get("sum"));
        m.build().unwrap()
    }

    fn cell(name: &str, kind: Kind, chain: &[u32], readers: &[u32]) -> Cell {
        Cell { name: name.into(), kind, at: None, chain: chain.to_vec(), readers: readers.to_vec() }
    }

    #[test]
    fn carries_belong_to_what_they_drive() {
        let top = two_adders();
        let cells = [
            cell("dut.first.sum_q_TRELLIS_FF_Q", Kind::Ff, &[], &[2]),
            cell("dut.second.sum_q_TRELLIS_FF_Q", Kind::Ff, &[], &[]),
            cell("dut.first.sum_q_CCU2C_A0", Kind::Carry, &[3], &[1]),
            cell("$nextpnr_CCU2C_0$CCU2_COMB0", Kind::Carry, &[2, 4], &[]),
            cell("$nextpnr_CCU2C_0$CCU2_COMB1", Kind::Carry, &[3], &[]),
            cell("inputs_q_CCU2C_A0", Kind::Carry, &[], &[0]),
            cell("outputs_q_TRELLIS_FF_Q_DI_LUT4_Z", Kind::Lut, &[], &[]),
            cell("$PACKER_VCC", Kind::Lut, &[], &[1]),
            cell("shift_i_LUT4_A", Kind::Lut, &[], &[]),
        ];
        let found = owners(&cells, &Names::new(Some(&top), "dut", Outside::Harness));
        let path = |names: &[&str]| Some(names.iter().map(|name| name.to_string()).collect::<Vec<_>>());
        assert_eq!(found[..2], [path(&["first"]), path(&["second"])]);
        assert_eq!(found[2], path(&["second"]), "it reads `first`, and what it makes is registered in `second`");
        assert_eq!(found[3..5], [path(&["second"]), path(&["second"])], "the rest of the chain");
        assert_eq!(found[5], path(&["first"]), "the operand is a register of the harness");
        assert_eq!(found[6..], [None, path(&[]), None]);
    }
}
