// SPDX-License-Identifier: MIT OR Apache-2.0
//! The arcs of the controller, found by trying every input in every state of its golden model.

use super::{
    DomainCause, DomainState,
    golden::{Domain, Inputs},
};
use std::collections::BTreeMap;

/// What a step depends on, by name; the last ones are made of the others.
pub const CONDITIONS: [&str; 10] =
    ["wanted", "qactive", "qacceptn", "qdeny", "weak_ack", "strong_ack", "power_good", "late", "clear", "wake"];
const FREE: usize = 9;

/// One arc: when it is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arc {
    /// For each of [`CONDITIONS`] the value that it has whenever the arc is taken, if it has one.
    pub fixed: [Option<bool>; CONDITIONS.len()],
    /// The causes that are noted on the way.
    pub causes: Vec<u8>,
}

/// Every arc between two states, and from a state to itself.
pub fn arcs() -> BTreeMap<(u8, u8), Arc> {
    let mut arcs = BTreeMap::new();
    for state in STATES {
        for choice in 0..1u32 << FREE {
            let mut values = [false; CONDITIONS.len()];
            (0..FREE).for_each(|at| values[at] = choice >> at & 1 == 1);
            values[FREE] = values[0] || values[1];
            let mut domain = Domain::at(state);
            domain.step(&inputs(&values));
            note(&mut arcs, (state as u8, domain.state as u8), &values, domain.cause);
        }
    }
    arcs
}

const STATES: [DomainState; 17] = {
    use DomainState::*;
    [
        PoweredOff,
        WeakOn,
        StrongOn,
        OutOfReset,
        Restored,
        Connected,
        Waking,
        Running,
        Quiescing,
        Refused,
        ClockStopped,
        Isolated,
        Saved,
        InReset,
        WeakOff,
        StrongOff,
        Faulted,
    ]
};

/// A state that was just entered is late when the limit is zero.
fn inputs(values: &[bool; CONDITIONS.len()]) -> Inputs {
    let [wanted, qactive, qacceptn, qdeny, weak_ack, strong_ack, power_good, late, clear, _] = *values;
    let limit = if late { 0 } else { u16::MAX };
    Inputs { wanted, qacceptn, qdeny, qactive, weak_ack, strong_ack, power_good, limit, clear }
}

fn note(arcs: &mut BTreeMap<(u8, u8), Arc>, arc: (u8, u8), values: &[bool; CONDITIONS.len()], cause: DomainCause) {
    let entry = arcs.entry(arc).or_insert_with(|| Arc { fixed: values.map(Some), causes: vec![] });
    for (fixed, value) in entry.fixed.iter_mut().zip(values) {
        *fixed = fixed.filter(|fixed| fixed == value);
    }
    if cause != DomainCause::None && !entry.causes.contains(&(cause as u8)) {
        entry.causes.push(cause as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(name: &str) -> usize {
        CONDITIONS.iter().position(|c| *c == name).unwrap()
    }

    #[test]
    fn arcs_carry_their_conditions() {
        let arcs = arcs();
        let arc = |from: DomainState, to: DomainState| arcs.get(&(from as u8, to as u8)).cloned();
        let up = arc(DomainState::PoweredOff, DomainState::WeakOn).unwrap();
        assert_eq!(up.fixed.iter().filter(|f| f.is_some()).count(), 1);
        assert_eq!(up.fixed[condition("wake")], Some(true));
        assert_eq!(arc(DomainState::PoweredOff, DomainState::Running), None);
        let fault = arc(DomainState::WeakOn, DomainState::Faulted).unwrap();
        assert_eq!(fault.causes, [DomainCause::WeakMissing as u8]);
        assert_eq!((fault.fixed[condition("late")], fault.fixed[condition("weak_ack")]), (Some(true), Some(false)));
    }

    #[test]
    fn power_is_only_switched_off_on_the_way_through_saving_and_reset() {
        let into = |to: DomainState| arcs().into_keys().filter(move |arc| arc.1 == to as u8 && arc.0 != arc.1).map(|arc| arc.0);
        assert!(into(DomainState::InReset).eq([DomainState::Saved as u8]));
        assert!(into(DomainState::WeakOff).eq([DomainState::InReset as u8]));
        assert!(into(DomainState::PoweredOff).eq([DomainState::StrongOff as u8]));
    }
}
