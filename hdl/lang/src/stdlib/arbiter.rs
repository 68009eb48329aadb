// SPDX-License-Identifier: MIT OR Apache-2.0
//! Several streams into one.
//!
//! Ports       `in_0` .. `in_<n-1>`, `out`: streams of `width` bits; `out_source`: which input the word is from
//! Latency     0 cycles: a path leads from each valid to `out_valid`, and from `out_ready` to each ready
//! Throughput  1 word per cycle
//! Reset       input 0 comes first
//!
//! A word that is offered stays offered, whatever else arrives: the choice is kept until the transfer.
//! Round robin serves each waiting input within `n` transfers; fixed priority prefers the lowest number and
//! may let the others wait for ever.

use super::stream::Stream;
use crate::{
    builder::{BuildError, Builder, address_bits},
    expr::{Expr, Ty},
    module::Module,
};
use std::sync::Arc;

/// The largest number of inputs.
pub const INPUTS: u32 = 64;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Policy {
    RoundRobin,
    FixedPriority,
}

/// `inputs` streams of `width` bits, each served in turn.
pub fn round_robin(inputs: u32, width: u32) -> Result<Arc<Module>, BuildError> {
    arbiter(Policy::RoundRobin, inputs, width)
}

/// `inputs` streams of `width` bits, the lowest number first.
pub fn fixed_priority(inputs: u32, width: u32) -> Result<Arc<Module>, BuildError> {
    arbiter(Policy::FixedPriority, inputs, width)
}

pub fn arbiter(policy: Policy, inputs: u32, width: u32) -> Result<Arc<Module>, BuildError> {
    let name = match policy {
        Policy::RoundRobin => "round_robin",
        Policy::FixedPriority => "fixed_priority",
    };
    let mut m = Builder::clocked(format!("{name}_{inputs}x{width}"), file!());
    m.doc(&format!("{inputs} streams of {width} bits into one, {}.", name.replace('_', " ")));
    if inputs == 0 || inputs > INPUTS {
        m.error(format!("an arbiter has 1 to {INPUTS} inputs, not {inputs}"));
        return m.build();
    }
    let ports: Vec<Stream> = (0..inputs).map(|i| Stream::input(&mut m, &format!("in_{i}"), Ty::Unsigned(width))).collect();
    let output = Stream::output(&mut m, "out", Ty::Unsigned(width));
    let requests = m.wire("requests", Expr::pack(&ports.iter().map(|p| p.valid.clone()).collect::<Vec<_>>()));
    let transfer = m.wire("transfer", output.transfer());
    let chosen = choose(&mut m, policy, &requests, &transfer);
    for (i, port) in ports.iter().enumerate() {
        m.drive(&port.ready, chosen.bit(i as u32) & &output.ready);
    }
    m.drive(&output.valid, requests.any());
    let masked = |(i, p): (usize, &Stream)| chosen.bit(i as u32).repeat(width) & &p.data;
    let words: Vec<Expr> = ports.iter().enumerate().map(masked).collect();
    m.drive(&output.data, any_of(words));
    let bits = address_bits(inputs);
    let number = |i: u32| chosen.bit(i).repeat(bits) & Expr::constant(Ty::Unsigned(bits), i.into());
    m.output("out_source", any_of((0..inputs).map(number).collect()));
    m.build()
}

fn any_of(words: Vec<Expr>) -> Expr {
    words.into_iter().reduce(|a, b| a | b).unwrap_or_else(|| Expr::bit_const(false))
}

/// The lowest bit that is set.
fn lowest(bits: &Expr) -> Expr {
    bits & (!bits).wrapping_add(1)
}

/// The one input that is served, as a bit of its own.
fn choose(m: &mut Builder, policy: Policy, requests: &Expr, transfer: &Expr) -> Expr {
    let ty = requests.ty();
    let first = match policy {
        Policy::FixedPriority => m.wire("first", lowest(requests)),
        Policy::RoundRobin => {
            let chosen = m.forward("chosen", ty);
            m.comment("Inputs behind the one that was served last");
            let behind = m.reg("behind", ty, 0);
            m.on(&behind, transfer, !(&chosen | chosen.wrapping_sub(1)));
            let waiting = m.wire("waiting", requests & behind.q());
            let first = m.wire("first", waiting.any().mux(lowest(&waiting), &lowest(requests)));
            hold(m, &chosen, &first, requests, transfer);
            let ahead = !behind.q();
            m.assert("behind_is_a_suffix", m.reset() | (&ahead & ahead.wrapping_add(1)).is_zero());
            return chosen;
        }
    };
    let chosen = m.forward("chosen", ty);
    hold(m, &chosen, &first, requests, transfer);
    chosen
}

/// Keeps the choice from the cycle in which it is offered to its transfer.
fn hold(m: &mut Builder, chosen: &Expr, first: &Expr, requests: &Expr, transfer: &Expr) {
    m.comment("The choice that was offered and not yet taken");
    let held = m.reg("held", chosen.ty(), 0);
    m.on(&held, transfer, 0);
    m.next(&held, chosen);
    m.drive(chosen, held.q().any().mux(held.q(), first));
    m.assert("one_choice", m.reset() | (chosen & chosen.wrapping_sub(1)).is_zero());
    m.assert("choice_is_offered", m.reset() | (chosen & !requests).is_zero());
}

/// The same, in plain Rust.
pub mod golden {
    use super::Policy;

    /// State between cycles.
    #[derive(Clone, Debug)]
    pub struct Arbiter {
        policy: Policy,
        inputs: usize,
        /// The input that comes first in the next choice.
        next: usize,
        held: Option<usize>,
    }

    impl Arbiter {
        pub fn new(policy: Policy, inputs: usize) -> Self {
            Arbiter { policy, inputs, next: 0, held: None }
        }

        /// Which input is offered in a cycle with these valids; `taken`: the output is ready.
        pub fn cycle(&mut self, valid: &[bool], taken: bool) -> Option<usize> {
            let turn = (0..self.inputs).map(|i| (self.next + i) % self.inputs);
            let choice = self.held.or_else(|| turn.into_iter().find(|&i| valid[i]))?;
            self.held = (!taken).then_some(choice);
            if taken && self.policy == Policy::RoundRobin {
                self.next = (choice + 1) % self.inputs;
            }
            Some(choice)
        }
    }
}
