// SPDX-License-Identifier: MIT OR Apache-2.0
//! Power gating: who is on, in which order, and for how long (docs/power.md).

pub mod demand;
pub mod domain;
pub mod dvfs;
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

    #[test]
    fn a_dvfs_unit_of_another_size_or_with_falling_limits_is_refused() {
        let limits = [7, 15, 23, 31, 39, 47, 55, 63];
        [16, 32, 64].into_iter().for_each(|entries| drop(dvfs::dvfs(entries, &limits).unwrap()));
        let refused = |entries, limits: [u32; 8]| dvfs::dvfs(entries, &limits).unwrap_err().to_string();
        assert!(refused(8, limits).contains("8: must be 16, 32 or 64"));
        assert!(refused(16, [7, 15, 23, 31, 30, 47, 55, 63]).contains("entry 4 is 30, below the 31"));
        assert!(refused(16, [7, 15, 23, 31, 39, 47, 55, 64]).contains("64 is no clock code"));
    }
}
