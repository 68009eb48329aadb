// SPDX-License-Identifier: MIT OR Apache-2.0
//! Power gating: who is on, in which order, and for how long (docs/power.md).

pub mod demand;
pub mod domain;
pub mod idle;
pub mod intent;
pub mod isolate;
pub mod q_device;
pub mod residency;
pub mod switches;
pub mod unit;
pub mod upf;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_block_is_imported() {
        domain::domain().unwrap();
        q_device::q_device().unwrap();
        idle::idle().unwrap();
        residency::residency().unwrap();
        (1..=switches::STAGES_MAX).for_each(|stages| drop(switches::switches(stages).unwrap()));
        for stages in [0, switches::STAGES_MAX + 1] {
            assert!(switches::switches(stages).unwrap_err().to_string().contains("1 to 8 segments"));
        }
    }
}
