// SPDX-License-Identifier: MIT OR Apache-2.0
//! UART transmitter: 8 data bits, no parity, one stop bit.
//!
//! A byte is taken when `valid` and `ready` are high. A bit lasts `divisor` + 1 cycles.

use rust_hdl::prelude::*;

#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum UartTransmitterState {
    Idle,
    StartBit,
    DataBits,
    StopBit,
}

#[derive(LogicBlock, Default)]
pub struct UartTransmitter {
    pub clock: Signal<In, Clock>,
    pub divisor: Signal<In, Bits<12>>,
    pub valid: Signal<In, Bit>,
    pub data: Signal<In, Bits<8>>,
    pub ready: Signal<Out, Bit>,
    pub tx: Signal<Out, Bit>,
    state: DFF<UartTransmitterState>,
    /// Bits that are still to be sent, lowest first.
    shift: DFF<Bits<8>>,
    position: DFF<Bits<3>>,
    /// Cycles since the bit began.
    elapsed: DFF<Bits<12>>,
    /// The line is driven by a register; the register holds the inverse, so that it starts high.
    line_low: DFF<Bit>,
    bit_over: Signal<Local, Bit>,
}

impl Logic for UartTransmitter {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, shift, position, elapsed, line_low);
        self.tx.next = !self.line_low.q.val();
        self.ready.next = self.state.q.val() == UartTransmitterState::Idle;
        self.bit_over.next = self.elapsed.q.val() >= self.divisor.val();
        self.elapsed.d.next = self.elapsed.q.val() + 1;
        if self.bit_over.val() {
            self.elapsed.d.next = 0.into();
        }
        match self.state.q.val() {
            UartTransmitterState::Idle => {
                self.line_low.d.next = false;
                self.elapsed.d.next = 0.into();
                self.position.d.next = 0.into();
                if self.valid.val() {
                    self.shift.d.next = self.data.val();
                    self.line_low.d.next = true;
                    self.state.d.next = UartTransmitterState::StartBit;
                }
            }
            UartTransmitterState::StartBit => {
                if self.bit_over.val() {
                    self.line_low.d.next = !self.shift.q.val().get_bit(0);
                    self.shift.d.next = self.shift.q.val() >> 1;
                    self.state.d.next = UartTransmitterState::DataBits;
                }
            }
            UartTransmitterState::DataBits => {
                if self.bit_over.val() {
                    self.position.d.next = self.position.q.val() + 1;
                    self.line_low.d.next = !self.shift.q.val().get_bit(0);
                    self.shift.d.next = self.shift.q.val() >> 1;
                    if self.position.q.val().all() {
                        self.line_low.d.next = false;
                        self.state.d.next = UartTransmitterState::StopBit;
                    }
                }
            }
            UartTransmitterState::StopBit => {
                if self.bit_over.val() {
                    self.state.d.next = UartTransmitterState::Idle;
                }
            }
        }
    }
}
