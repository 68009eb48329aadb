// SPDX-License-Identifier: MIT OR Apache-2.0
//! The table of operating points: a clock and a voltage code for each index, and the check that the voltage carries
//! the clock.
//!
//! Ports      `write_i` (a pulse) puts `write_clock_i`, `write_voltage_i` at `index_i`, or `refused_o` says that it did
//!            not; `lookup_i`, `lookup_index_i`: the entry is at `found_*` one cycle later; `read_*`: the entry at
//!            `index_i`, likewise, from a copy of the memory
//! Latency    1 cycle from `lookup_i`      Throughput  one look-up per cycle
//! Rounding   none      Reset  every entry counts as never written; the memory keeps its words

use rust_hdl::prelude::*;

/// Codes in one entry of the memory: clock above voltage.
const CODE_BITS: usize = 14;

/// A table of M = 2^N entries.
#[derive(LogicBlock)]
pub struct Table<const N: usize, const M: usize> {
    pub clock: Signal<In, Clock>,
    pub write: Signal<In, Bit>,
    pub index: Signal<In, Bits<6>>,
    pub write_clock: Signal<In, Bits<6>>,
    pub write_voltage: Signal<In, Bits<8>>,
    pub lookup: Signal<In, Bit>,
    pub lookup_index: Signal<In, Bits<6>>,
    /// One cycle after `lookup`: the entry, whether it was ever written, and whether its voltage carries its clock.
    pub found: Signal<Out, Bit>,
    pub found_present: Signal<Out, Bit>,
    pub found_legal: Signal<Out, Bit>,
    pub found_clock: Signal<Out, Bits<6>>,
    pub found_voltage: Signal<Out, Bits<8>>,
    /// A pulse: the write was refused.
    pub refused: Signal<Out, Bit>,
    pub read_clock: Signal<Out, Bits<6>>,
    pub read_voltage: Signal<Out, Bits<8>>,
    pub read_present: Signal<Out, Bit>,
    codes: RAM<Bits<CODE_BITS>, N>,
    /// The same words, for the host to read.
    shown: RAM<Bits<CODE_BITS>, N>,
    write_limit: ROM<Bits<6>, 3>,
    found_limit: ROM<Bits<6>, 3>,
    written: DFF<Bits<M>>,
    present: DFF<Bit>,
    looked: DFF<Bit>,
    refusal: DFF<Bit>,
    shown_present: DFF<Bit>,
    /// Bits of an index that no entry of this table has.
    beyond: Constant<Bits<6>>,
    write_beyond: Signal<Local, Bits<6>>,
    lookup_beyond: Signal<Local, Bits<6>>,
    legal: Signal<Local, Bit>,
    accepted: Signal<Local, Bit>,
    place: Signal<Local, Bits<N>>,
    write_place: Signal<Local, Bits<N>>,
    word: Signal<Local, Bits<CODE_BITS>>,
}

impl<const N: usize, const M: usize> Table<N, M> {
    /// `limits`: the highest clock code for each eighth of the voltage codes.
    pub fn new(limits: &[u32; 8]) -> Self {
        let words = || limits.iter().map(|limit| u64::from(*limit).to_bits());
        Table {
            clock: Default::default(),
            write: Default::default(),
            index: Default::default(),
            write_clock: Default::default(),
            write_voltage: Default::default(),
            lookup: Default::default(),
            lookup_index: Default::default(),
            found: Default::default(),
            found_present: Default::default(),
            found_legal: Default::default(),
            found_clock: Default::default(),
            found_voltage: Default::default(),
            refused: Default::default(),
            read_clock: Default::default(),
            read_voltage: Default::default(),
            read_present: Default::default(),
            codes: Default::default(),
            shown: Default::default(),
            write_limit: ROM::from(words()),
            found_limit: ROM::from(words()),
            written: Default::default(),
            present: Default::default(),
            looked: Default::default(),
            refusal: Default::default(),
            shown_present: Default::default(),
            beyond: Constant::new((64 - M as u64).to_bits()),
            write_beyond: Default::default(),
            lookup_beyond: Default::default(),
            legal: Default::default(),
            accepted: Default::default(),
            place: Default::default(),
            write_place: Default::default(),
            word: Default::default(),
        }
    }
}

impl<const N: usize, const M: usize> Logic for Table<N, M> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, written, present, looked, refusal, shown_present);
        self.codes.read_clock.next = self.clock.val();
        self.codes.write_clock.next = self.clock.val();
        self.shown.read_clock.next = self.clock.val();
        self.shown.write_clock.next = self.clock.val();
        // A write above the limit of its voltage leaves the entry as it is.
        self.write_limit.address.next = self.write_voltage.val().get_bits::<3>(5);
        self.write_beyond.next = self.index.val() & self.beyond.val();
        self.lookup_beyond.next = self.lookup_index.val() & self.beyond.val();
        self.legal.next = (self.write_clock.val() <= self.write_limit.data.val()) & !self.write_beyond.val().any();
        self.accepted.next = self.write.val() & self.legal.val();
        self.refusal.d.next = self.write.val() & !self.legal.val();
        self.refused.next = self.refusal.q.val();
        self.write_place.next = bit_cast::<N, 6>(self.index.val());
        self.word.next = (bit_cast::<CODE_BITS, 6>(self.write_clock.val()) << 8) | bit_cast::<CODE_BITS, 8>(self.write_voltage.val());
        self.codes.write_address.next = self.write_place.val();
        self.codes.write_data.next = self.word.val();
        self.codes.write_enable.next = self.accepted.val();
        self.shown.write_address.next = self.write_place.val();
        self.shown.write_data.next = self.word.val();
        self.shown.write_enable.next = self.accepted.val();
        if self.accepted.val() {
            self.written.d.next = self.written.q.val().replace_bit(self.write_place.val().index(), true);
        }
        // The unit looks up.
        self.place.next = bit_cast::<N, 6>(self.lookup_index.val());
        self.codes.read_address.next = self.place.val();
        self.present.d.next = self.written.q.val().get_bit(self.place.val().index()) & !self.lookup_beyond.val().any();
        self.looked.d.next = self.lookup.val();
        self.found.next = self.looked.q.val();
        self.found_present.next = self.present.q.val();
        self.found_clock.next = self.codes.read_data.val().get_bits::<6>(8);
        self.found_voltage.next = self.codes.read_data.val().get_bits::<8>(0);
        self.found_limit.address.next = self.codes.read_data.val().get_bits::<3>(5);
        self.found_legal.next = self.found_clock.val() <= self.found_limit.data.val();
        // The host reads.
        self.shown.read_address.next = self.write_place.val();
        self.shown_present.d.next = self.written.q.val().get_bit(self.write_place.val().index());
        self.read_clock.next = self.shown.read_data.val().get_bits::<6>(8);
        self.read_voltage.next = self.shown.read_data.val().get_bits::<8>(0);
        self.read_present.next = self.shown_present.q.val();
    }
}
