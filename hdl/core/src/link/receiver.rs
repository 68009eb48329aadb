// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bytes of the wire to commands: finds the bounds of a command, undoes the stuffing, checks length and CRC.
//!
//! Ports      `byte_*`: stream of bytes from the wire; `open_i`: a session is open, only frames are understood;
//!            `silence_i`: cycles without a byte after which a started command is forgotten; `crc_*`: the CRC register
//!            outside; `word_*`: payload words for the memory; `head_o`: the first six bytes, first one lowest;
//!            `words_o`: payload words; `command_o`: a command is there (`frame_o`: as a frame, `broken_o`: as one that is
//!            broken) until `done_i`
//! Latency    1 cycle from the last byte to the command      Throughput  one byte per cycle
//! Rounding   none      Reset  between commands
//!
//! A command is offered only when all of it has come, so one that is cut never has an effect.

use super::wire;
use heddle_lang::{
    Module,
    import::{Import, ImportError},
};
use rust_hdl::prelude::*;
use std::sync::Arc;

/// Bits that count the bytes of a command.
pub const COUNT_BITS: usize = 12;

/// What holds in each state.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum ReceiverState {
    Idle,
    Bone,
    Frame,
    /// A frame too long to be one; its end is waited for.
    Overlong,
    /// A command is being carried out.
    Offered,
}

/// The receiver.
#[derive(LogicBlock)]
pub struct Receiver {
    pub clock: Signal<In, Clock>,
    pub byte_valid: Signal<In, Bit>,
    pub byte_data: Signal<In, Bits<8>>,
    pub byte_ready: Signal<Out, Bit>,
    pub open: Signal<In, Bit>,
    pub silence: Signal<In, Bits<32>>,
    pub crc_right: Signal<In, Bit>,
    pub crc_clear: Signal<Out, Bit>,
    pub crc_take: Signal<Out, Bit>,
    pub plain: Signal<Out, Bits<8>>,
    pub word_write: Signal<Out, Bit>,
    pub word_index: Signal<Out, Bits<10>>,
    pub word: Signal<Out, Bits<32>>,
    pub head: Signal<Out, Bits<48>>,
    pub words: Signal<Out, Bits<10>>,
    pub command: Signal<Out, Bit>,
    pub frame: Signal<Out, Bit>,
    pub broken: Signal<Out, Bit>,
    pub done: Signal<In, Bit>,
    state: DFF<ReceiverState>,
    flagged: DFF<Bit>,
    escaped: DFF<Bit>,
    framed: DFF<Bit>,
    failed: DFF<Bit>,
    /// Bytes of the command so far, unstuffed.
    count: DFF<Bits<12>>,
    first_bytes: DFF<Bits<48>>,
    gathered: DFF<Bits<32>>,
    whole_word: DFF<Bit>,
    index: DFF<Bits<10>>,
    waited: DFF<Bits<32>>,
    take: Signal<Local, Bit>,
    is_flag: Signal<Local, Bit>,
    is_bone: Signal<Local, Bit>,
    in_head: Signal<Local, Bit>,
    stored: Signal<Local, Bit>,
    next_count: Signal<Local, Bits<12>>,
    past_head: Signal<Local, Bits<12>>,
    past_frame: Signal<Local, Bits<12>>,
    bone_words: Signal<Local, Bits<12>>,
    bone_bytes: Signal<Local, Bits<12>>,
    late: Signal<Local, Bit>,
    flag: Constant<Bits<8>>,
    escape: Constant<Bits<8>>,
    turn: Constant<Bits<8>>,
    bone_first: Constant<Bits<8>>,
    bone_last: Constant<Bits<8>>,
    head_bytes: Constant<Bits<12>>,
    least_bytes: Constant<Bits<12>>,
    most_bytes: Constant<Bits<12>>,
}

impl Default for Receiver {
    fn default() -> Self {
        let bytes = |n: usize| Constant::new((n as u64).to_bits());
        let byte = |value: u8| Constant::new(u64::from(value).to_bits());
        Self {
            clock: Default::default(),
            byte_valid: Default::default(),
            byte_data: Default::default(),
            byte_ready: Default::default(),
            open: Default::default(),
            silence: Default::default(),
            crc_right: Default::default(),
            crc_clear: Default::default(),
            crc_take: Default::default(),
            plain: Default::default(),
            word_write: Default::default(),
            word_index: Default::default(),
            word: Default::default(),
            head: Default::default(),
            words: Default::default(),
            command: Default::default(),
            frame: Default::default(),
            broken: Default::default(),
            done: Default::default(),
            state: Default::default(),
            flagged: Default::default(),
            escaped: Default::default(),
            framed: Default::default(),
            failed: Default::default(),
            count: Default::default(),
            first_bytes: Default::default(),
            gathered: Default::default(),
            whole_word: Default::default(),
            index: Default::default(),
            waited: Default::default(),
            take: Default::default(),
            is_flag: Default::default(),
            is_bone: Default::default(),
            in_head: Default::default(),
            stored: Default::default(),
            next_count: Default::default(),
            past_head: Default::default(),
            past_frame: Default::default(),
            bone_words: Default::default(),
            bone_bytes: Default::default(),
            late: Default::default(),
            flag: byte(wire::FLAG),
            escape: byte(wire::ESCAPE),
            turn: byte(wire::TURN),
            bone_first: byte(wire::bone::WRITE),
            bone_last: byte(wire::bone::READ_FIXED),
            head_bytes: bytes(wire::HEAD),
            least_bytes: bytes(wire::HEAD + wire::TAIL),
            most_bytes: bytes(wire::HEAD + wire::PAYLOAD + wire::TAIL),
        }
    }
}

impl Logic for Receiver {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, flagged, escaped, framed, failed, count, first_bytes, gathered, index, waited);
        clock!(self, clock, whole_word);
        self.byte_ready.next = self.state.q.val() != ReceiverState::Offered;
        self.take.next = self.byte_valid.val() & (self.state.q.val() != ReceiverState::Offered);
        self.command.next = self.state.q.val() == ReceiverState::Offered;
        self.frame.next = self.framed.q.val();
        self.broken.next = self.failed.q.val();
        self.head.next = self.first_bytes.q.val();
        self.word_write.next = self.whole_word.q.val();
        self.word_index.next = self.index.q.val();
        self.word.next = self.gathered.q.val();

        self.is_flag.next = self.byte_data.val() == self.flag.val();
        self.is_bone.next = (self.byte_data.val() >= self.bone_first.val()) & (self.byte_data.val() <= self.bone_last.val());
        self.plain.next = self.byte_data.val();
        if self.escaped.q.val() {
            self.plain.next = self.byte_data.val() ^ self.turn.val();
        }
        self.in_head.next = self.count.q.val() < self.head_bytes.val();
        self.next_count.next = self.count.q.val() + 1;
        self.past_head.next = self.count.q.val() - self.head_bytes.val();
        self.past_frame.next = self.count.q.val() - self.least_bytes.val();
        // Of uartbone: words and bytes of the command whose second byte is the count; 0 is 256.
        self.bone_words.next = bit_cast::<12, 8>(self.first_bytes.q.val().get_bits::<8>(8));
        if self.first_bytes.q.val().get_bits::<8>(8) == 0 {
            self.bone_words.next = 256.into();
        }
        self.bone_bytes.next = (self.bone_words.val() << 2) + self.head_bytes.val();
        self.words.next = bit_cast::<10, 12>(self.bone_words.val());
        if self.framed.q.val() {
            self.words.next = self.past_frame.val().get_bits::<10>(2);
        }

        // A byte of a command goes to its head, or to a word of its payload.
        self.stored.next = false;
        self.crc_clear.next = false;
        self.crc_take.next = false;
        self.whole_word.d.next = false;
        self.index.d.next = self.past_head.val().get_bits::<10>(2);

        self.late.next = self.waited.q.val() >= self.silence.val();
        self.waited.d.next = self.waited.q.val() + 1;
        if self.take.val() {
            self.waited.d.next = 0.into();
        }

        match self.state.q.val() {
            ReceiverState::Idle => {
                self.waited.d.next = 0.into();
                if self.take.val() {
                    self.flagged.d.next = self.is_flag.val();
                    self.crc_clear.next = self.is_flag.val();
                    if self.is_bone.val() & !self.open.val() {
                        self.framed.d.next = false;
                        self.stored.next = true;
                        self.state.d.next = ReceiverState::Bone;
                    } else if self.flagged.q.val() & !self.is_flag.val() {
                        self.framed.d.next = true;
                        self.state.d.next = ReceiverState::Frame;
                        if self.byte_data.val() == self.escape.val() {
                            self.escaped.d.next = true;
                        } else {
                            self.stored.next = true;
                            self.crc_take.next = true;
                        }
                    }
                }
            }
            ReceiverState::Bone => {
                if self.take.val() {
                    self.stored.next = true;
                    // Read commands, the even ones, are whole with their head.
                    if (self.next_count.val() == self.bone_bytes.val())
                        | ((self.next_count.val() == self.head_bytes.val()) & !self.first_bytes.q.val().get_bit(8))
                    {
                        self.flagged.d.next = false;
                        self.state.d.next = ReceiverState::Offered;
                    }
                } else if self.late.val() {
                    self.flagged.d.next = false;
                    self.escaped.d.next = false;
                    self.count.d.next = 0.into();
                    self.state.d.next = ReceiverState::Idle;
                }
            }
            ReceiverState::Frame => {
                if self.take.val() {
                    if self.is_flag.val() {
                        self.flagged.d.next = true;
                        self.escaped.d.next = false;
                        self.crc_clear.next = true;
                        self.count.d.next = 0.into();
                        self.state.d.next = ReceiverState::Idle;
                        if !self.escaped.q.val() & (self.count.q.val() >= self.least_bytes.val()) {
                            // The number of words is still needed.
                            self.count.d.next = self.count.q.val();
                            if self.crc_right.val() & (self.past_frame.val().get_bits::<2>(0) == 0) {
                                self.state.d.next = ReceiverState::Offered;
                            } else if self.open.val() {
                                self.failed.d.next = true;
                                self.state.d.next = ReceiverState::Offered;
                            } else {
                                self.count.d.next = 0.into();
                            }
                        }
                    } else if self.byte_data.val() == self.escape.val() {
                        self.escaped.d.next = true;
                    } else {
                        self.escaped.d.next = false;
                        self.stored.next = true;
                        self.crc_take.next = true;
                        if self.count.q.val() == self.most_bytes.val() {
                            self.state.d.next = ReceiverState::Overlong;
                        }
                    }
                } else if self.late.val() {
                    self.flagged.d.next = false;
                    self.escaped.d.next = false;
                    self.count.d.next = 0.into();
                    self.state.d.next = ReceiverState::Idle;
                }
            }
            ReceiverState::Overlong => {
                if self.take.val() {
                    if self.is_flag.val() {
                        self.flagged.d.next = true;
                        self.crc_clear.next = true;
                        self.count.d.next = 0.into();
                        self.state.d.next = ReceiverState::Idle;
                        if self.open.val() {
                            self.failed.d.next = true;
                            self.state.d.next = ReceiverState::Offered;
                        }
                    }
                } else if self.late.val() {
                    self.flagged.d.next = false;
                    self.escaped.d.next = false;
                    self.count.d.next = 0.into();
                    self.state.d.next = ReceiverState::Idle;
                }
            }
            ReceiverState::Offered => {
                if self.done.val() {
                    self.count.d.next = 0.into();
                    self.failed.d.next = false;
                    self.state.d.next = ReceiverState::Idle;
                }
            }
            // Rust knows no other state, but flip-flops do.
            #[allow(unreachable_patterns)]
            _ => {
                self.state.d.next = ReceiverState::Idle;
            }
        }

        if self.stored.val() {
            self.count.d.next = self.next_count.val();
            if self.in_head.val() {
                self.first_bytes.d.next = (self.first_bytes.q.val() >> 8) | (bit_cast::<48, 8>(self.plain.val()) << 40);
            } else {
                // The last byte of a word: counts 9, 13, ...
                self.whole_word.d.next = self.past_head.val().get_bits::<2>(0) == 3;
                self.gathered.d.next = (self.gathered.q.val() << 8) | bit_cast::<32, 8>(self.plain.val());
                if self.framed.q.val() {
                    self.gathered.d.next = (self.gathered.q.val() >> 8) | (bit_cast::<32, 8>(self.plain.val()) << 24);
                }
            }
        }
    }
}

/// The receiver as a module.
pub fn receiver() -> Result<Arc<Module>, ImportError> {
    let doc = "Bytes of the wire to commands: bounds, stuffing, length and CRC.";
    Import::new("link_receiver", file!()).doc(doc).reset().module(&Receiver::default())
}
