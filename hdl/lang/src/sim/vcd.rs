// SPDX-License-Identifier: MIT OR Apache-2.0
//! Waveforms as VCD (IEEE 1364-2005, clause 18): the hierarchy and the names of the emitted Verilog.
//!
//! A cycle is 10 time units. What is written at its start is the settled state of the cycle, with the inputs
//! that are set when the edge that ends it comes; each clock rises there and falls half way.

use super::{SimError, Simulator, flatten::Flat, graph::limbs};
use crate::{module::NetKind, verilog::net_name};
use std::{io, io::Write, ops::Range};

const CYCLE: u64 = 10;

struct Signal {
    code: String,
    slot: usize,
    limbs: usize,
    width: u32,
    /// Where its last value stands in `Trace::last`.
    last: usize,
}

pub(super) struct Trace {
    out: Box<dyn Write + Send>,
    window: Range<u64>,
    signals: Vec<Signal>,
    clocks: Vec<String>,
    last: Vec<u64>,
    /// Edges of any clock so far.
    edges: u64,
    started: bool,
}

impl Simulator {
    /// Writes a VCD of the cycles in `window` (of edges of any clock from now on), changes only.
    pub fn trace(&mut self, out: impl Write + Send + 'static, window: Range<u64>) -> Result<(), SimError> {
        let mut trace = Trace { out: Box::new(out), window, signals: vec![], clocks: vec![], last: vec![], edges: 0, started: false };
        self.header(&mut trace).map_err(|e| SimError::Trace(e.to_string()))?;
        self.trace = Some(trace);
        Ok(())
    }

    fn header(&self, trace: &mut Trace) -> io::Result<()> {
        writeln!(trace.out, "$timescale 1ns $end")?;
        let mut depth = 0;
        for scope in &self.flat.scopes {
            let level = if scope.path.is_empty() { 0 } else { scope.path.matches('.').count() + 1 };
            for _ in level..depth {
                writeln!(trace.out, "$upscope $end")?;
            }
            let name = scope.path.rsplit('.').next().filter(|n| !n.is_empty()).unwrap_or(&scope.module.name);
            writeln!(trace.out, "$scope module {name} $end")?;
            depth = level + 1;
            for (i, net) in scope.module.nets.iter().enumerate() {
                let code = self.declare(trace, &self.flat, scope.base + i);
                let (kind, width) = (if net.kind == NetKind::Register { "reg" } else { "wire" }, net.ty.width());
                let range = if width == 1 { String::new() } else { format!(" [{}:0]", width - 1) };
                writeln!(trace.out, "$var {kind} {width} {code} {}{range} $end", net_name(net))?;
            }
        }
        for _ in 0..depth {
            writeln!(trace.out, "$upscope $end")?;
        }
        writeln!(trace.out, "$enddefinitions $end")
    }

    /// The identifier code of a net; a clock's belongs to the port of the top module it comes from.
    fn declare(&self, trace: &mut Trace, flat: &Flat, net: usize) -> String {
        if flat.net(net).kind == NetKind::Clock {
            let top = flat.clock(net).ok().map(|c| flat.net(c).name.clone()).unwrap_or_default();
            let index = self.domains.iter().position(|d| d.clock == top).unwrap_or(0);
            let code = format!("c{index}");
            trace.clocks.resize(trace.clocks.len().max(index + 1), String::new());
            trace.clocks[index] = code.clone();
            return code;
        }
        let at = self.nets[net];
        let signal = Signal {
            code: format!("n{:x}", trace.signals.len()),
            slot: at.slot,
            limbs: limbs(at.ty),
            width: at.ty.width(),
            last: trace.last.len(),
        };
        let code = signal.code.clone();
        trace.last.extend(vec![0; signal.limbs]);
        trace.signals.push(signal);
        code
    }

    /// The cycle that the coming edge of a clock ends.
    pub(super) fn write_trace(&mut self, domain: usize) -> Result<(), SimError> {
        let Some(mut trace) = self.trace.take() else { return Ok(()) };
        let mut result = Ok(());
        if trace.window.contains(&trace.edges) {
            self.settle_debug();
            result = trace.sample(&self.slots, domain);
        }
        trace.edges += 1;
        self.trace = Some(trace);
        result.map_err(|e| SimError::Trace(e.to_string()))
    }
}

impl Trace {
    fn sample(&mut self, slots: &[u64], domain: usize) -> io::Result<()> {
        let clock = self.clocks.get(domain).filter(|c| !c.is_empty());
        writeln!(self.out, "#{}", self.edges * CYCLE)?;
        if let Some(clock) = clock {
            writeln!(self.out, "1{clock}")?;
        }
        for s in &self.signals {
            let (now, last) = (&slots[s.slot..s.slot + s.limbs], &mut self.last[s.last..s.last + s.limbs]);
            if now != last || !self.started {
                last.copy_from_slice(now);
                value(&mut self.out, now, s)?;
            }
        }
        self.started = true;
        if let Some(clock) = clock {
            writeln!(self.out, "#{}\n0{clock}", self.edges * CYCLE + CYCLE / 2)?;
        }
        Ok(())
    }
}

fn value(out: &mut impl Write, limbs: &[u64], s: &Signal) -> io::Result<()> {
    if s.width == 1 {
        return writeln!(out, "{}{}", limbs[0] & 1, s.code);
    }
    write!(out, "b")?;
    let top = s.width - 1;
    for i in (0..=top).rev() {
        write!(out, "{}", limbs[(i / 64) as usize] >> (i % 64) & 1)?;
    }
    writeln!(out, " {}", s.code)
}
