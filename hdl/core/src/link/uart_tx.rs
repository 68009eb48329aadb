// SPDX-License-Identifier: MIT OR Apache-2.0
//! UART transmitter: 8 data bits, no parity, one stop bit.
//!
//! Ports      `in_*`: stream of bytes; `step_i`: 2^24 x baud / clock; `tx_o`: the line, from a register
//! Latency    1 cycle to the start bit      Throughput  one byte in 10 bits and a cycle
//! Rounding   an edge is up to a cycle late; the baud rate is exact to 2^-24 of the clock      Reset  the line is high

use heddle_lang::{
    Module,
    import::{Import, ImportError},
};
use rust_hdl::prelude::*;
use std::sync::Arc;

/// What holds in each state.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum UartTxState {
    Idle,
    Sending,
}

/// The transmitter.
#[derive(LogicBlock, Default)]
pub struct UartTx {
    pub clock: Signal<In, Clock>,
    pub step: Signal<In, Bits<24>>,
    pub in_valid: Signal<In, Bit>,
    pub in_data: Signal<In, Bits<8>>,
    pub in_ready: Signal<Out, Bit>,
    pub tx: Signal<Out, Bit>,
    state: DFF<UartTxState>,
    /// Parts of a bit; its carry is the end of a bit.
    phase: DFF<Bits<25>>,
    /// Data bits and stop bit that are still to be sent, lowest first.
    rest: DFF<Bits<9>>,
    position: DFF<Bits<4>>,
    /// The inverse of the line, so that reset leaves it high.
    low: DFF<Bit>,
    over: Signal<Local, Bit>,
    part: Signal<Local, Bits<25>>,
}

impl Logic for UartTx {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, phase, rest, position, low);
        self.tx.next = !self.low.q.val();
        self.in_ready.next = self.state.q.val() == UartTxState::Idle;
        self.over.next = self.phase.q.val().get_bit(24);
        self.part.next = bit_cast::<25, 24>(self.phase.q.val().get_bits::<24>(0));
        self.phase.d.next = self.part.val() + bit_cast::<25, 24>(self.step.val());
        match self.state.q.val() {
            UartTxState::Idle => {
                self.phase.d.next = bit_cast::<25, 24>(self.step.val());
                self.position.d.next = 0.into();
                if self.in_valid.val() {
                    self.rest.d.next = bit_cast::<9, 8>(self.in_data.val()) | 0x100;
                    self.low.d.next = true;
                    self.state.d.next = UartTxState::Sending;
                }
            }
            UartTxState::Sending => {
                if self.over.val() {
                    self.low.d.next = !self.rest.q.val().get_bit(0);
                    self.rest.d.next = self.rest.q.val() >> 1;
                    self.position.d.next = self.position.q.val() + 1;
                    if self.position.q.val() == 9 {
                        self.low.d.next = false;
                        self.state.d.next = UartTxState::Idle;
                    }
                }
            }
        }
    }
}

/// The transmitter as a module.
pub fn uart_tx() -> Result<Arc<Module>, ImportError> {
    Import::new("uart_tx", file!()).doc("UART transmitter, 8N1.").reset().module(&UartTx::default())
}

/// The same, in plain Rust.
pub mod golden {
    /// Start bit, data bits, stop bit.
    pub fn bits(byte: u8) -> [bool; 10] {
        std::array::from_fn(|i| match i {
            0 => false,
            9 => true,
            _ => byte >> (i - 1) & 1 == 1,
        })
    }
}
