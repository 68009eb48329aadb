// SPDX-License-Identifier: MIT OR Apache-2.0
//! First in, first out.
//!
//! Ports       `in`, `out`: streams of `width` bits; `count`: words inside, 0 ..= depth
//! Latency     1 cycle up to [`SMALL`] words, 2 cycles beyond
//! Throughput  1 word per cycle (depth 1: one every second cycle)
//! Storage     up to [`SMALL`] words: registers that shift towards the output; beyond: a block RAM whose read
//!             register is the output
//! Reset       empties it
//!
//! `out_data` comes from a register in both forms; `in_ready` and `out_valid` depend on registers only.

use super::stream::Stream;
use crate::{
    builder::{BuildError, Builder, address_bits},
    expr::{Expr, Ty},
    module::Module,
};
use std::sync::Arc;

/// The largest depth that is kept in registers.
pub const SMALL: u32 = 16;

/// A FIFO of `depth` words of `width` bits; any depth from 1 on.
pub fn fifo(width: u32, depth: u32) -> Result<Arc<Module>, BuildError> {
    let mut m = Builder::clocked(format!("fifo_{width}x{depth}"), file!());
    m.doc(&format!("First in, first out: {depth} words of {width} bits."));
    if depth == 0 || depth > 1 << 24 {
        m.error(format!("a FIFO has 1 to 2^24 words, not {depth}"));
        return m.build();
    }
    let input = Stream::input(&mut m, "in", Ty::Unsigned(width));
    let output = Stream::output(&mut m, "out", Ty::Unsigned(width));
    let bits = u32::BITS - depth.leading_zeros();
    let count = m.reg("count", Ty::Unsigned(bits), 0);
    m.drive(&input.ready, count.q().ne(depth));
    let push = m.wire("push", input.transfer());
    let pop = m.wire("pop", output.transfer());
    m.on(&count, &push & !&pop, count.q().wrapping_add(1));
    m.on(&count, !&push & &pop, count.q().wrapping_sub(1));
    if depth <= SMALL {
        shift(&mut m, depth, &input, &output, &count.q(), &push, &pop);
    } else {
        memory(&mut m, depth, &input, &output, &count.q(), &push, &pop);
    }
    m.output("count", count.q());
    m.assert("count_in_range", m.reset() | count.q().le(depth));
    m.build()
}

/// Words in registers, word 0 at the output; a new word goes behind the last one that stays.
fn shift(m: &mut Builder, depth: u32, input: &Stream, output: &Stream, count: &Expr, push: &Expr, pop: &Expr) {
    let words: Vec<_> = (0..depth).map(|i| m.reg_no_reset(&format!("word_{i}"), input.data.ty())).collect();
    for (i, word) in words.iter().enumerate() {
        let free = pop.mux(count.eq(i + 1), &count.eq(i));
        m.on(word, push & free, &input.data);
        if let Some(behind) = words.get(i + 1) {
            m.on(word, pop, behind.q());
        }
    }
    m.drive(&output.valid, count.any());
    m.drive(&output.data, words[0].q());
}

/// Words in a memory; the next one is read ahead into the memory's read register.
fn memory(m: &mut Builder, depth: u32, input: &Stream, output: &Stream, count: &Expr, push: &Expr, pop: &Expr) {
    let valid = m.reg("valid", Ty::BIT, 0);
    let ty = Ty::Unsigned(u32::BITS - depth.leading_zeros());
    m.comment("Words in the memory, the one at the output not counted");
    let stored = m.reg("stored", ty, 0);
    let fetch = m.wire("fetch", stored.q().any() & (!valid.q() | pop));
    m.on(&stored, push & !&fetch, stored.q().wrapping_add(1));
    m.on(&stored, !push & &fetch, stored.q().wrapping_sub(1));
    m.on(&valid, &fetch, 1);
    m.on(&valid, pop, 0);
    let pointer = |m: &mut Builder, name: &str, advance: &Expr| {
        let at = m.reg(name, Ty::Unsigned(address_bits(depth)), 0);
        if !depth.is_power_of_two() {
            m.on(&at, advance & at.q().eq(depth - 1), 0);
        }
        m.on(&at, advance, at.q().wrapping_add(1));
        at.q()
    };
    let (head, tail) = (pointer(m, "head", &fetch), pointer(m, "tail", push));
    let words = m.memory("words", input.data.width(), depth);
    m.memory_attribute(words, "ram_style = \"block\", no_rw_check");
    m.write(words, push, &tail, &input.data);
    let data = m.read(words, "front", &fetch, &head);
    m.drive(&output.valid, valid.q());
    m.drive(&output.data, data);
    let rst = m.reset();
    m.assert("count_is_stored_and_front", &rst | count.eq(stored.q() + valid.q()));
    let behind = &head + stored.q();
    let place = match depth.is_power_of_two() {
        true => behind.truncate(tail.width()).eq(&tail),
        false => behind.ge(depth).mux(behind.wrapping_sub(depth), &behind).eq(&tail) & head.lt(depth) & tail.lt(depth),
    };
    m.assert("tail_is_behind_stored", &rst | place);
}

/// The same, in plain Rust.
pub mod golden {
    use std::collections::VecDeque;

    /// What the words inside do; when they may enter and leave is the rules' matter.
    #[derive(Clone, Debug)]
    pub struct Fifo<T> {
        pub words: VecDeque<T>,
        pub depth: usize,
    }

    impl<T> Fifo<T> {
        pub fn new(depth: usize) -> Self {
            Fifo { words: VecDeque::new(), depth }
        }

        pub fn ready(&self) -> bool {
            self.words.len() < self.depth
        }

        pub fn push(&mut self, word: T) {
            debug_assert!(self.ready(), "a push into a full FIFO");
            self.words.push_back(word);
        }

        pub fn pop(&mut self) -> Option<T> {
            self.words.pop_front()
        }
    }
}
