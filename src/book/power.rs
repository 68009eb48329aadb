// SPDX-License-Identifier: MIT OR Apache-2.0
//! Figures of a power domain's controller: its states, and how it goes up, down and back.

use super::figures::Failure;
use super::states;
use super::wave::{self, Signal, Value};
use heddle_core::power::domain::{DomainState, STATES};
use heddle_tb::power::Rig;

/// Wide enough for the name of a state.
const CYCLE: u32 = 86;
const DOWN: [&str; 13] = [
    "wanted_i",
    "state",
    "qreqn_o",
    "qacceptn_i",
    "on_o",
    "clock_enable_o",
    "isolate_o",
    "save_o",
    "domain_rst_o",
    "weak_on_o",
    "weak_ack_i",
    "strong_on_o",
    "strong_ack_i",
];
const UP: [&str; 14] = [
    "wanted_i",
    "state",
    "weak_on_o",
    "weak_ack_i",
    "strong_on_o",
    "strong_ack_i",
    "power_good_i",
    "domain_rst_o",
    "restore_o",
    "isolate_o",
    "clock_enable_o",
    "qreqn_o",
    "qacceptn_i",
    "on_o",
];

/// File names and texts.
pub fn figures() -> Vec<(&'static str, Result<String, Failure>)> {
    let timing = |signals: Result<Vec<Signal>, Failure>, title: &str| match signals {
        Ok(signals) => [Ok(wave::draw(title, &signals, CYCLE)), Ok(wave::wavedrom(title, &signals))],
        Err(error) => [Err(error.to_string().into()), Err(error)],
    };
    let [down_svg, down_json] = timing(down(), "A power domain goes down");
    let [up_svg, up_json] = timing(up(), "A power domain comes up");
    let [back_svg, back_json] = timing(fall_through(), "A wake before the commit: fall-through");
    vec![
        ("power_states.svg", Ok(states::svg())),
        ("power_states.dot", Ok(states::dot())),
        ("power_down.svg", down_svg),
        ("power_down.json", down_json),
        ("power_up.svg", up_svg),
        ("power_up.json", up_json),
        ("power_fall_through.svg", back_svg),
        ("power_fall_through.json", back_json),
    ]
}

/// From on to off.
fn down() -> Result<Vec<Signal>, Failure> {
    let mut rig = Rig::new()?;
    rig.descend(DomainState::Running)?;
    record(&mut rig, &DOWN, 11, |rig, cycle| rig.around.wanted = cycle == 0)
}

/// From off to on, with something saved before.
fn up() -> Result<Vec<Signal>, Failure> {
    let mut rig = Rig::new()?;
    rig.descend(DomainState::PoweredOff)?;
    record(&mut rig, &UP, 10, |rig, cycle| rig.around.wanted = cycle > 0)
}

/// On the way down, wanted again once the registers are saved.
fn fall_through() -> Result<Vec<Signal>, Failure> {
    let mut rig = Rig::new()?;
    rig.descend(DomainState::Running)?;
    record(&mut rig, &DOWN[..9], 9, |rig, cycle| rig.around.wanted = cycle == 0 || cycle > 4)
}

fn record(rig: &mut Rig, names: &[&str], cycles: u32, stimulus: fn(&mut Rig, u32)) -> Result<Vec<Signal>, Failure> {
    let mut signals: Vec<Signal> = names.iter().map(|name| Signal { name: name.to_string(), values: vec![] }).collect();
    for cycle in 0..cycles {
        stimulus(rig, cycle);
        rig.drive()?;
        for signal in &mut signals {
            let value = match signal.name.as_str() {
                "state" => Value::Bus(STATES[rig.get("state_code")? as usize].name.into()),
                name => Value::Bit(rig.get(name.trim_end_matches("_i").trim_end_matches("_o"))? == 1),
            };
            signal.values.push(value);
        }
        rig.cycle()?;
    }
    Ok(signals)
}
