// SPDX-License-Identifier: MIT OR Apache-2.0
//! Control of a descriptor sequencer: fetch eight words, decode, issue, keep count, stop on an error.
//!
//! Opcode 1 is work for the unit, 2 waits until nothing is outstanding, 3 waits likewise and stops. Any
//! other opcode, no rows or too many of them end in `Failed` with the descriptor's address.

use rust_hdl::prelude::*;

#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum SequencerState {
    Stopped,
    Requesting,
    Receiving,
    Decoding,
    Issuing,
    Draining,
    Failed,
}

#[derive(LogicBlock)]
pub struct Sequencer {
    pub clock: Signal<In, Clock>,
    pub start: Signal<In, Bit>,
    pub base: Signal<In, Bits<32>>,
    pub clear: Signal<In, Bit>,
    pub fetch_valid: Signal<Out, Bit>,
    pub fetch_ready: Signal<In, Bit>,
    pub fetch_address: Signal<Out, Bits<32>>,
    pub word_valid: Signal<In, Bit>,
    pub word: Signal<In, Bits<32>>,
    pub unit_valid: Signal<Out, Bit>,
    pub unit_ready: Signal<In, Bit>,
    pub unit_rows: Signal<Out, Bits<24>>,
    pub unit_done: Signal<In, Bit>,
    pub stopped: Signal<Out, Bit>,
    pub failed: Signal<Out, Bit>,
    pub outstanding: Signal<Out, Bits<4>>,
    state: DFF<SequencerState>,
    address: DFF<Bits<32>>,
    received: DFF<Bits<3>>,
    opcode: DFF<Bits<8>>,
    rows: DFF<Bits<24>>,
    count: DFF<Bits<4>>,
    issued: Signal<Local, Bit>,
    finished: Signal<Local, Bit>,
    drained: Signal<Local, Bit>,
    work: Constant<Bits<8>>,
    fence: Constant<Bits<8>>,
    end: Constant<Bits<8>>,
    descriptor_bytes: Constant<Bits<32>>,
}

impl Default for Sequencer {
    fn default() -> Self {
        Self {
            clock: Default::default(),
            start: Default::default(),
            base: Default::default(),
            clear: Default::default(),
            fetch_valid: Default::default(),
            fetch_ready: Default::default(),
            fetch_address: Default::default(),
            word_valid: Default::default(),
            word: Default::default(),
            unit_valid: Default::default(),
            unit_ready: Default::default(),
            unit_rows: Default::default(),
            unit_done: Default::default(),
            stopped: Default::default(),
            failed: Default::default(),
            outstanding: Default::default(),
            state: Default::default(),
            address: Default::default(),
            received: Default::default(),
            opcode: Default::default(),
            rows: Default::default(),
            count: Default::default(),
            issued: Default::default(),
            finished: Default::default(),
            drained: Default::default(),
            work: Constant::new(1.into()),
            fence: Constant::new(2.into()),
            end: Constant::new(3.into()),
            descriptor_bytes: Constant::new(32.into()),
        }
    }
}

impl Logic for Sequencer {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, address, received, opcode, rows, count);
        self.fetch_valid.next = self.state.q.val() == SequencerState::Requesting;
        self.fetch_address.next = self.address.q.val();
        // The counter must not overflow.
        self.unit_valid.next = (self.state.q.val() == SequencerState::Issuing) & !self.count.q.val().all();
        self.unit_rows.next = self.rows.q.val();
        self.stopped.next = self.state.q.val() == SequencerState::Stopped;
        self.failed.next = self.state.q.val() == SequencerState::Failed;
        self.outstanding.next = self.count.q.val();
        // One more when the unit takes a descriptor, one fewer when it reports one done.
        self.drained.next = !self.count.q.val().any();
        self.issued.next = self.unit_valid.val() & self.unit_ready.val();
        self.finished.next = self.unit_done.val() & !self.drained.val();
        if self.issued.val() & !self.finished.val() {
            self.count.d.next = self.count.q.val() + 1;
        } else if self.finished.val() & !self.issued.val() {
            self.count.d.next = self.count.q.val() - 1;
        }
        match self.state.q.val() {
            SequencerState::Stopped => {
                self.address.d.next = self.base.val();
                if self.start.val() {
                    self.state.d.next = SequencerState::Requesting;
                }
            }
            SequencerState::Requesting => {
                self.received.d.next = 0.into();
                if self.fetch_ready.val() {
                    self.state.d.next = SequencerState::Receiving;
                }
            }
            SequencerState::Receiving => {
                if self.word_valid.val() {
                    self.received.d.next = self.received.q.val() + 1;
                    if self.received.q.val() == 0 {
                        self.opcode.d.next = self.word.val().get_bits::<8>(0);
                        if self.word.val().get_bits::<24>(8).any() {
                            self.opcode.d.next = 0.into();
                        }
                    } else if self.received.q.val() == 1 {
                        self.rows.d.next = bit_cast::<24, 32>(self.word.val());
                        if self.word.val().get_bits::<8>(24).any() {
                            self.rows.d.next = 0.into();
                        }
                    } else if self.received.q.val().all() {
                        self.state.d.next = SequencerState::Decoding;
                    }
                }
            }
            SequencerState::Decoding => {
                if (self.opcode.q.val() == self.work.val()) & self.rows.q.val().any() {
                    self.state.d.next = SequencerState::Issuing;
                } else if (self.opcode.q.val() == self.fence.val()) | (self.opcode.q.val() == self.end.val()) {
                    self.state.d.next = SequencerState::Draining;
                } else {
                    self.state.d.next = SequencerState::Failed;
                }
            }
            SequencerState::Issuing => {
                if self.issued.val() {
                    self.address.d.next = self.address.q.val() + self.descriptor_bytes.val();
                    self.state.d.next = SequencerState::Requesting;
                }
            }
            SequencerState::Draining => {
                if self.drained.val() {
                    self.address.d.next = self.address.q.val() + self.descriptor_bytes.val();
                    self.state.d.next = SequencerState::Requesting;
                    if self.opcode.q.val() == self.end.val() {
                        self.state.d.next = SequencerState::Stopped;
                    }
                }
            }
            SequencerState::Failed => {
                if self.clear.val() {
                    self.state.d.next = SequencerState::Stopped;
                }
            }
            #[allow(unreachable_patterns)]
            _ => {
                self.state.d.next = SequencerState::Failed;
            }
        }
    }
}
