// SPDX-License-Identifier: MIT OR Apache-2.0
//! Runs a design between stream sources and sinks.

use super::{Checker, Sink, Source, Stall, StreamViolation};
use crate::simulator::Simulator;
use crate::verilator::SimError;

/// Payload of one transfer: the bytes of the payload ports one after the other, each rounded up to bytes.
pub type Item = Vec<u8>;

/// Why a stream bench stopped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    #[error(transparent)]
    Sim(#[from] SimError),
    #[error("stream `{stream}`: {violation}")]
    Rule { stream: String, violation: StreamViolation },
    #[error("stream `{stream}`: valid follows ready within the cycle (rule 4)")]
    Path { stream: String },
    #[error("after {limit} cycles: {state}")]
    Limit { limit: u64, state: String },
}

/// The ports of one stream.
#[derive(Clone, Debug)]
pub struct StreamPins<P> {
    pub name: String,
    valid: P,
    ready: P,
    payload: Vec<(P, usize)>,
}

impl<P: Copy> StreamPins<P> {
    /// A stream into the design: `<name>_valid_i`, `<name>_ready_o`, and `<name>_<payload>_i` for each payload.
    pub fn input<S: Simulator<Port = P>>(sim: &S, name: &str, payload: &[&str]) -> Result<Self, SimError> {
        Self::find(sim, name, payload, ["i", "o"])
    }

    /// A stream out of the design: `<name>_valid_o`, `<name>_ready_i`, and `<name>_<payload>_o` for each payload.
    pub fn output<S: Simulator<Port = P>>(sim: &S, name: &str, payload: &[&str]) -> Result<Self, SimError> {
        Self::find(sim, name, payload, ["o", "i"])
    }

    fn find<S: Simulator<Port = P>>(sim: &S, name: &str, payload: &[&str], [forth, back]: [&str; 2]) -> Result<Self, SimError> {
        let payload = payload.iter().map(|part| {
            let port = sim.port(&format!("{name}_{part}_{forth}"))?;
            Ok((port, sim.width(port).div_ceil(8) as usize))
        });
        Ok(Self {
            name: name.to_owned(),
            valid: sim.port(&format!("{name}_valid_{forth}"))?,
            ready: sim.port(&format!("{name}_ready_{back}"))?,
            payload: payload.collect::<Result<_, SimError>>()?,
        })
    }

    fn offer<S: Simulator<Port = P>>(&self, sim: &mut S, item: Option<&Item>) {
        sim.set(self.valid, item.is_some().into());
        let Some(item) = item else { return };
        let mut rest = item.as_slice();
        for &(port, bytes) in &self.payload {
            let (now, later) = rest.split_at(bytes.min(rest.len()));
            sim.set_bytes(port, now);
            rest = later;
        }
    }

    fn offered<S: Simulator<Port = P>>(&self, sim: &S) -> Option<Item> {
        if sim.get(self.valid) == 0 {
            return None;
        }
        let mut item = vec![0; self.payload.iter().map(|(_, bytes)| bytes).sum()];
        let mut rest = item.as_mut_slice();
        for &(port, bytes) in &self.payload {
            let (now, later) = rest.split_at_mut(bytes);
            sim.get_bytes(port, now);
            rest = later;
        }
        Some(item)
    }
}

struct Output<P> {
    pins: StreamPins<P>,
    sink: Sink<Item>,
    checker: Checker<Item>,
}

/// A design with streams on its ports; the checker watches every one that the design produces.
pub struct Bench<S: Simulator> {
    pub sim: S,
    sources: Vec<(StreamPins<S::Port>, Source<Item>)>,
    outputs: Vec<Output<S::Port>>,
}

impl<S: Simulator> Bench<S> {
    /// A design that is out of reset.
    pub fn new(sim: S) -> Self {
        Self { sim, sources: Vec::new(), outputs: Vec::new() }
    }

    /// Feeds `items` into an input stream.
    pub fn source(&mut self, pins: StreamPins<S::Port>, items: impl IntoIterator<Item = Item>, stall: Stall) {
        self.sources.push((pins, Source::new(items, stall)));
    }

    /// Collects an output stream; returns its index for `received`.
    pub fn sink(&mut self, pins: StreamPins<S::Port>, stall: Stall) -> usize {
        self.outputs.push(Output { pins, sink: Sink::new(stall), checker: Checker::default() });
        self.outputs.len() - 1
    }

    pub fn received(&self, sink: usize) -> &[Item] {
        &self.outputs[sink].sink.received
    }

    /// One clock cycle.
    pub fn cycle(&mut self) -> Result<(), StreamError> {
        for (pins, source) in &self.sources {
            pins.offer(&mut self.sim, source.out());
        }
        for Output { pins, sink, .. } in &self.outputs {
            self.sim.set(pins.ready, sink.out().into());
        }
        self.sim.settle()?;
        for (pins, source) in &mut self.sources {
            source.step(self.sim.get(pins.ready) != 0);
        }
        for Output { pins, sink, checker } in &mut self.outputs {
            let offered = pins.offered(&self.sim);
            let rule = |violation| StreamError::Rule { stream: pins.name.clone(), violation };
            checker.step(offered.as_ref(), sink.out()).map_err(rule)?;
            sink.step(offered);
        }
        self.sim.tick()?;
        Ok(())
    }

    /// Runs until every sink has its number of items in `expected`; returns the cycles it took.
    pub fn run(&mut self, expected: &[usize], limit: u64) -> Result<u64, StreamError> {
        let start = self.sim.cycles();
        while self.outputs.iter().zip(expected).any(|(output, &items)| output.sink.received.len() < items) {
            if self.sim.cycles() - start >= limit {
                return Err(StreamError::Limit { limit, state: self.state(expected) });
            }
            self.cycle()?;
        }
        Ok(self.sim.cycles() - start)
    }

    fn state(&self, expected: &[usize]) -> String {
        let outputs = self.outputs.iter().zip(expected);
        let texts =
            outputs.map(|(Output { pins, sink, .. }, items)| format!("`{}` gave {} of {items} items", pins.name, sink.received.len()));
        texts.collect::<Vec<_>>().join(", ")
    }
}

/// Rule 4, in the design's present state: toggles ready of an output stream within a cycle, and looks whether
/// valid or the payload follow. Call it in many states.
pub fn no_path_from_ready<S: Simulator>(sim: &mut S, pins: &StreamPins<S::Port>) -> Result<(), StreamError> {
    let mut seen = Vec::new();
    for ready in [0, 1, 0] {
        sim.set(pins.ready, ready);
        sim.settle()?;
        seen.push(pins.offered(sim));
    }
    if seen.iter().all(|offered| *offered == seen[0]) { Ok(()) } else { Err(StreamError::Path { stream: pins.name.clone() }) }
}
