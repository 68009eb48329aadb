// SPDX-License-Identifier: MIT OR Apache-2.0
//! Replies to bytes of the wire: flags, stuffing and CRC around those of a frame; those of uartbone pass as they are.
//!
//! Ports      `in_*`: stream of bytes, `in_raw_i` of uartbone, `in_last_i` at the end of a frame's; `crc_*`: the CRC
//!            register outside; `out_*`: stream of bytes to the wire
//! Latency    none for a byte of uartbone, one byte for the first of a frame      Throughput  one byte per cycle
//! Rounding   none      Reset  between frames

use super::wire;
use heddle_lang::{
    Module,
    import::{Import, ImportError},
};
use rust_hdl::prelude::*;
use std::sync::Arc;

/// What holds in each state.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum FramerState {
    Between,
    Body,
    /// The escape of this byte was sent.
    BodyTurned,
    Check,
    CheckTurned,
    End,
}

/// The framer.
#[derive(LogicBlock)]
pub struct Framer {
    pub clock: Signal<In, Clock>,
    pub in_valid: Signal<In, Bit>,
    pub in_data: Signal<In, Bits<8>>,
    pub in_raw: Signal<In, Bit>,
    pub in_last: Signal<In, Bit>,
    pub in_ready: Signal<Out, Bit>,
    pub crc: Signal<In, Bits<32>>,
    pub crc_clear: Signal<Out, Bit>,
    pub crc_take: Signal<Out, Bit>,
    pub out_valid: Signal<Out, Bit>,
    pub out_data: Signal<Out, Bits<8>>,
    pub out_ready: Signal<In, Bit>,
    state: DFF<FramerState>,
    lane: DFF<Bits<2>>,
    crc_byte: Signal<Local, Bits<8>>,
    body_special: Signal<Local, Bit>,
    crc_special: Signal<Local, Bit>,
    body_sent: Signal<Local, Bit>,
    crc_sent: Signal<Local, Bit>,
    flag: Constant<Bits<8>>,
    escape: Constant<Bits<8>>,
    turn: Constant<Bits<8>>,
}

impl Default for Framer {
    fn default() -> Self {
        let byte = |value: u8| Constant::new(u64::from(value).to_bits());
        Self {
            clock: Default::default(),
            in_valid: Default::default(),
            in_data: Default::default(),
            in_raw: Default::default(),
            in_last: Default::default(),
            in_ready: Default::default(),
            crc: Default::default(),
            crc_clear: Default::default(),
            crc_take: Default::default(),
            out_valid: Default::default(),
            out_data: Default::default(),
            out_ready: Default::default(),
            state: Default::default(),
            lane: Default::default(),
            crc_byte: Default::default(),
            body_special: Default::default(),
            crc_special: Default::default(),
            body_sent: Default::default(),
            crc_sent: Default::default(),
            flag: byte(wire::FLAG),
            escape: byte(wire::ESCAPE),
            turn: byte(wire::TURN),
        }
    }
}

impl Logic for Framer {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, lane);
        self.crc_byte.next = self.crc.val().get_bits::<8>(0);
        if self.lane.q.val() == 1 {
            self.crc_byte.next = self.crc.val().get_bits::<8>(8);
        }
        if self.lane.q.val() == 2 {
            self.crc_byte.next = self.crc.val().get_bits::<8>(16);
        }
        if self.lane.q.val() == 3 {
            self.crc_byte.next = self.crc.val().get_bits::<8>(24);
        }
        self.body_special.next = (self.in_data.val() == self.flag.val()) | (self.in_data.val() == self.escape.val());
        self.crc_special.next = (self.crc_byte.val() == self.flag.val()) | (self.crc_byte.val() == self.escape.val());
        self.body_sent.next = false;
        self.crc_sent.next = false;
        self.crc_clear.next = self.state.q.val() == FramerState::Between;
        self.out_valid.next = false;
        self.out_data.next = self.flag.val();
        self.in_ready.next = false;
        match self.state.q.val() {
            FramerState::Between => {
                self.lane.d.next = 0.into();
                self.out_valid.next = self.in_valid.val();
                if self.in_raw.val() {
                    self.out_data.next = self.in_data.val();
                    self.in_ready.next = self.out_ready.val();
                } else if self.in_valid.val() & self.out_ready.val() {
                    self.state.d.next = FramerState::Body;
                }
            }
            FramerState::Body => {
                self.out_valid.next = self.in_valid.val();
                self.out_data.next = self.in_data.val();
                if self.body_special.val() {
                    self.out_data.next = self.escape.val();
                    if self.in_valid.val() & self.out_ready.val() {
                        self.state.d.next = FramerState::BodyTurned;
                    }
                } else {
                    self.in_ready.next = self.out_ready.val();
                    self.body_sent.next = self.in_valid.val() & self.out_ready.val();
                }
            }
            FramerState::BodyTurned => {
                self.out_valid.next = self.in_valid.val();
                self.out_data.next = self.in_data.val() ^ self.turn.val();
                self.in_ready.next = self.out_ready.val();
                self.body_sent.next = self.in_valid.val() & self.out_ready.val();
            }
            FramerState::Check => {
                self.out_valid.next = true;
                self.out_data.next = self.crc_byte.val();
                if self.crc_special.val() {
                    self.out_data.next = self.escape.val();
                    if self.out_ready.val() {
                        self.state.d.next = FramerState::CheckTurned;
                    }
                } else {
                    self.crc_sent.next = self.out_ready.val();
                }
            }
            FramerState::CheckTurned => {
                self.out_valid.next = true;
                self.out_data.next = self.crc_byte.val() ^ self.turn.val();
                self.crc_sent.next = self.out_ready.val();
            }
            FramerState::End => {
                self.out_valid.next = true;
                if self.out_ready.val() {
                    self.state.d.next = FramerState::Between;
                }
            }
            // Rust knows no other state, but flip-flops do.
            #[allow(unreachable_patterns)]
            _ => {
                self.state.d.next = FramerState::Between;
            }
        }
        self.crc_take.next = self.body_sent.val();
        if self.body_sent.val() {
            self.state.d.next = FramerState::Body;
            if self.in_last.val() {
                self.state.d.next = FramerState::Check;
            }
        }
        if self.crc_sent.val() {
            self.lane.d.next = self.lane.q.val() + 1;
            self.state.d.next = FramerState::Check;
            if self.lane.q.val() == 3 {
                self.state.d.next = FramerState::End;
            }
        }
    }
}

/// The framer as a module.
pub fn framer() -> Result<Arc<Module>, ImportError> {
    let doc = "Flags, stuffing and CRC around the bytes of a reply; bytes of uartbone pass as they are.";
    Import::new("link_framer", file!()).doc(doc).reset().module(&Framer::default())
}
