// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the DVFS unit is told of the layers of a model.

use heddle_core::config::Config;
use heddle_core::descriptor::{Descriptor, Layer, Phase};

/// Classes of layers, where the table has as many; with fewer, the last one takes the rest.
pub const ATTENTION: u8 = 0;
pub const MLP: u8 = 1;
pub const HEAD: u8 = 2;

/// Where in a pass a stage begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    class: u8,
    first: bool,
    /// The pass ends with this stage.
    last: bool,
    progress: u8,
}

/// The class of each stage of a layer that begins one: q k v, output, gate up, down.
const LAYER_CLASSES: [Option<u8>; 4] = [Some(ATTENTION), None, Some(MLP), None];

/// The layers that stages begin, by stage. `beats`: of the weights of each stage, those of the output matrix last.
pub(super) fn marks(config: &Config, beats: &[u64]) -> Vec<Option<Mark>> {
    let classes = (config.power.dvfs_entries / 8) as u8;
    if classes == 0 {
        return vec![None; beats.len()];
    }
    let total = beats.iter().sum::<u64>().max(1);
    let mut done = 0;
    let mut marks = Vec::with_capacity(beats.len());
    for (i, beats_of) in beats.iter().enumerate() {
        let last = i + 1 == beats.len();
        let class = if last { Some(HEAD) } else { LAYER_CLASSES[i % LAYER_CLASSES.len()] };
        let progress = (done * 256 / total).min(255) as u8;
        marks.push(class.map(|class| Mark { class: class.min(classes - 1), first: i == 0, last, progress }));
        done += beats_of;
    }
    marks
}

impl Mark {
    /// What stands before the matrices of the stage, and between them and the end.
    pub fn around(&self, phase: Phase) -> (Descriptor, Vec<Descriptor>) {
        let Mark { class, first, last, progress } = *self;
        let layer = Layer { phase, class, first, last: false, progress, tag: 0 };
        let end = Layer { last: true, first: false, ..layer };
        let after = if last { vec![Descriptor::Fence { tag: 0 }, Descriptor::Layer(end)] } else { vec![] };
        (Descriptor::Layer(layer), after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(entries: u32) -> Config {
        Config::base().with_settings(&[format!("power.dvfs_entries={entries}")]).unwrap()
    }

    #[test]
    fn layers_are_marked_where_they_begin() {
        let marks = marks(&built(32), &[10, 10, 40, 20, 10, 10, 40, 20, 96]);
        let seen: Vec<_> = marks.iter().map(|m| m.map(|m| (m.class, m.first, m.last, m.progress))).collect();
        let layers = [Some((0, true, false, 0)), None, Some((1, false, false, 20)), None, Some((0, false, false, 80)), None];
        assert_eq!(seen[..6], layers);
        assert_eq!(seen[6..], [Some((1, false, false, 100)), None, Some((2, false, true, 160))]);
    }

    #[test]
    fn few_classes_share_the_last() {
        assert_eq!(marks(&built(16), &[1, 1, 1, 1, 1])[4].unwrap().class, 1);
        assert_eq!(marks(&built(0), &[1, 1, 1, 1, 1]), [None; 5]);
    }
}
