// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tables of Liberty over input transition and output load, in SI units.

use super::liberty::Group;
use std::collections::HashMap;

/// Values over one or two indices; lookups between them are linear, and beyond them the last value holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// s; empty: the value does not depend on it.
    transition: Vec<f64>,
    /// F; empty: the value does not depend on it.
    load: Vec<f64>,
    /// By transition, then load.
    values: Vec<f64>,
}

impl Table {
    pub fn at(&self, transition: f64, load: f64) -> f64 {
        let (row, a) = place(&self.transition, transition);
        let (column, b) = place(&self.load, load);
        let width = self.load.len().max(1);
        let value = |r: usize, c: usize| self.values.get(r * width + c).copied().unwrap_or(0.0);
        let in_row = |r: usize| if b == 0.0 { value(r, column) } else { value(r, column) * (1.0 - b) + value(r, column + 1) * b };
        if a == 0.0 { in_row(row) } else { in_row(row) * (1.0 - a) + in_row(row + 1) * a }
    }
}

/// Index of the value below, and how far it is to the next.
fn place(index: &[f64], x: f64) -> (usize, f64) {
    match index.iter().rposition(|i| *i <= x) {
        None => (0, 0.0),
        Some(last) if last + 1 >= index.len() => (last, 0.0),
        Some(i) => (i, (x - index[i]) / (index[i + 1] - index[i])),
    }
}

/// The templates of a library: what the indices of a table are, and their values where the table has none of its own.
pub struct Templates<'a>(HashMap<&'a str, &'a Group>);

impl<'a> Templates<'a> {
    pub fn of(library: &'a Group) -> Templates<'a> {
        let templates = library.groups.iter().filter(|g| matches!(g.kind.as_str(), "power_lut_template" | "lu_table_template"));
        Templates(templates.map(|g| (g.name(), g)).collect())
    }

    /// A table with its units: s for transitions, F for loads, and what a value is.
    pub fn read(&self, table: &Group, second: f64, farad: f64, unit: f64) -> Result<Table, String> {
        let template = self.0.get(table.name()).copied();
        let mut out = Table { transition: vec![], load: vec![], values: numbers(table.values("values").unwrap_or_default(), unit)? };
        for (variable, index) in [("variable_1", "index_1"), ("variable_2", "index_2")] {
            let Some(what) = template.and_then(|t| t.get(variable)) else { continue };
            let values = table.values(index).or_else(|| template.and_then(|t| t.values(index))).unwrap_or_default();
            match what {
                "input_transition_time" | "input_net_transition" => out.transition = numbers(values, second)?,
                "total_output_net_capacitance" => out.load = numbers(values, farad)?,
                other => return Err(format!("a table over `{other}` is not supported")),
            }
        }
        // Load first is the other way round.
        if template.and_then(|t| t.get("variable_1")) == Some("total_output_net_capacitance") && !out.transition.is_empty() {
            let (rows, width) = (out.load.len(), out.transition.len());
            out.values = (0..width * rows).map(|i| out.values.get(i % rows * width + i / rows).copied().unwrap_or(0.0)).collect();
        }
        let expected = out.transition.len().max(1) * out.load.len().max(1);
        let rising = |index: &[f64]| index.windows(2).all(|w| w[0] < w[1]);
        if out.values.len() != expected || !rising(&out.transition) || !rising(&out.load) {
            return Err(format!(
                "table `{}` has {} values, not {expected}, or an index that does not rise",
                table.name(),
                out.values.len()
            ));
        }
        Ok(out)
    }
}

fn numbers(lists: &[String], unit: f64) -> Result<Vec<f64>, String> {
    let words = lists.iter().flat_map(|list| list.split([',', ' ', '\t', '\n', '\\'])).filter(|word| !word.is_empty());
    let number = |word: &str| word.parse::<f64>().ok().filter(|n| n.is_finite()).map(|n| n * unit);
    words.map(|word| number(word).ok_or_else(|| format!("`{word}` is no number"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lookups_are_linear_and_end_at_the_border() {
        let table = Table { transition: vec![1.0, 3.0], load: vec![10.0, 20.0], values: vec![0.0, 10.0, 100.0, 110.0] };
        assert_eq!((table.at(1.0, 10.0), table.at(2.0, 15.0), table.at(9.0, 99.0), table.at(0.0, 0.0)), (0.0, 55.0, 110.0, 0.0));
        let scalar = Table { transition: vec![], load: vec![], values: vec![7.0] };
        assert_eq!(scalar.at(1.0, 2.0), 7.0);
        let row = Table { transition: vec![1.0, 2.0], load: vec![], values: vec![1.0, 3.0] };
        assert_eq!(row.at(1.5, 4.0), 2.0);
    }
}
