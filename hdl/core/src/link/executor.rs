// SPDX-License-Identifier: MIT OR Apache-2.0
//! Carries out commands: judges them, moves words between bus, payload memory and wire, keeps the session.
//!
//! Ports      `command_i`, `frame_i`, `broken_i`, `head_i`, `words_i`: from the receiver, until `done_o`; `open_o`: a session
//!            is open; `payload_*`: the payload memory, read a cycle after the index; `bus_*`: one word at a time, held until
//!            `bus_done_i`; `sum_*`: the CRC register of a check outside; `out_*`: bytes of the reply, `out_raw_o` those of
//!            uartbone, `out_last_o` at the end of a frame's
//! Latency    3 cycles to the first access      Throughput  one word in 2 cycles and what the bus takes
//! Rounding   none      Reset  no session
//!
//! A request is carried out when its sequence number follows the last one's. One that was carried out before is answered
//! again, reads with what is read now; a number further on means that a request is missing, which is told once.

use super::wire;
use heddle_lang::{
    Module,
    import::{Import, ImportError},
};
use rust_hdl::prelude::*;
use std::sync::Arc;

/// What holds in each state.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum ExecutorState {
    Waiting,
    /// The first word of the payload is being read.
    Fetching,
    Judging,
    /// The bus has a request.
    Accessing,
    /// A word was written; the next one is taken.
    Stepping,
    /// The bytes of a word go into the CRC.
    Summing,
    SendingOp,
    SendingSeq,
    SendingWord,
    SendingStatus,
    Done,
}

/// The executor.
#[derive(LogicBlock)]
pub struct Executor {
    pub clock: Signal<In, Clock>,
    pub command: Signal<In, Bit>,
    pub frame: Signal<In, Bit>,
    pub broken: Signal<In, Bit>,
    pub head: Signal<In, Bits<48>>,
    pub words: Signal<In, Bits<10>>,
    pub done: Signal<Out, Bit>,
    pub open: Signal<Out, Bit>,
    pub payload_index: Signal<Out, Bits<8>>,
    pub payload_word: Signal<In, Bits<32>>,
    pub bus_valid: Signal<Out, Bit>,
    pub bus_write: Signal<Out, Bit>,
    pub bus_address: Signal<Out, Bits<32>>,
    pub bus_data: Signal<Out, Bits<32>>,
    pub bus_done: Signal<In, Bit>,
    pub bus_error: Signal<In, Bit>,
    pub bus_word: Signal<In, Bits<32>>,
    pub sum_clear: Signal<Out, Bit>,
    pub sum_take: Signal<Out, Bit>,
    pub sum_byte: Signal<Out, Bits<8>>,
    pub sum: Signal<In, Bits<32>>,
    pub out_valid: Signal<Out, Bit>,
    pub out_data: Signal<Out, Bits<8>>,
    pub out_raw: Signal<Out, Bit>,
    pub out_last: Signal<Out, Bit>,
    pub out_ready: Signal<In, Bit>,
    state: DFF<ExecutorState>,
    session: DFF<Bit>,
    /// Sequence number of the last request that was carried out.
    last: DFF<Bits<8>>,
    complained: DFF<Bit>,
    /// The command under way is the next one of its session.
    in_order: DFF<Bit>,
    raw: DFF<Bit>,
    fixed: DFF<Bit>,
    writing: DFF<Bit>,
    reading: DFF<Bit>,
    checking: DFF<Bit>,
    greeting: DFF<Bit>,
    code: DFF<Bits<8>>,
    seq: DFF<Bits<8>>,
    status: DFF<Bits<8>>,
    /// Word address.
    address: DFF<Bits<32>>,
    /// Words that are still to be moved.
    left: DFF<Bits<30>>,
    word: DFF<Bits<32>>,
    index: DFF<Bits<8>>,
    lane: DFF<Bits<2>>,
    head_code: Signal<Local, Bits<8>>,
    head_seq: Signal<Local, Bits<8>>,
    head_address: Signal<Local, Bits<32>>,
    bone_address: Signal<Local, Bits<32>>,
    following: Signal<Local, Bits<8>>,
    behind: Signal<Local, Bits<8>>,
    is_next: Signal<Local, Bit>,
    is_greeting: Signal<Local, Bit>,
    aligned: Signal<Local, Bit>,
    counted: Signal<Local, Bit>,
    short: Signal<Local, Bit>,
    complains: Signal<Local, Bit>,
    next_address: Signal<Local, Bits<32>>,
    next_left: Signal<Local, Bits<30>>,
    final_word: Signal<Local, Bit>,
    hello: Constant<Bits<8>>,
    read: Constant<Bits<8>>,
    write: Constant<Bits<8>>,
    check: Constant<Bits<8>>,
    bye: Constant<Bits<8>>,
    again: Constant<Bits<8>>,
    reply: Constant<Bits<8>>,
    first_seq: Constant<Bits<8>>,
    greeting_word: Constant<Bits<32>>,
    hello_word: Constant<Bits<32>>,
    most: Constant<Bits<32>>,
    status_ok: Constant<Bits<8>>,
    status_bus: Constant<Bits<8>>,
    status_refused: Constant<Bits<8>>,
    status_again: Constant<Bits<8>>,
    status_closed: Constant<Bits<8>>,
}

impl Default for Executor {
    fn default() -> Self {
        let byte = |value: u8| Constant::new(u64::from(value).to_bits());
        let word = |value: u32| Constant::new(u64::from(value).to_bits());
        Self {
            clock: Default::default(),
            command: Default::default(),
            frame: Default::default(),
            broken: Default::default(),
            head: Default::default(),
            words: Default::default(),
            done: Default::default(),
            open: Default::default(),
            payload_index: Default::default(),
            payload_word: Default::default(),
            bus_valid: Default::default(),
            bus_write: Default::default(),
            bus_address: Default::default(),
            bus_data: Default::default(),
            bus_done: Default::default(),
            bus_error: Default::default(),
            bus_word: Default::default(),
            sum_clear: Default::default(),
            sum_take: Default::default(),
            sum_byte: Default::default(),
            sum: Default::default(),
            out_valid: Default::default(),
            out_data: Default::default(),
            out_raw: Default::default(),
            out_last: Default::default(),
            out_ready: Default::default(),
            state: Default::default(),
            session: Default::default(),
            last: Default::default(),
            complained: Default::default(),
            in_order: Default::default(),
            raw: Default::default(),
            fixed: Default::default(),
            writing: Default::default(),
            reading: Default::default(),
            checking: Default::default(),
            greeting: Default::default(),
            code: Default::default(),
            seq: Default::default(),
            status: Default::default(),
            address: Default::default(),
            left: Default::default(),
            word: Default::default(),
            index: Default::default(),
            lane: Default::default(),
            head_code: Default::default(),
            head_seq: Default::default(),
            head_address: Default::default(),
            bone_address: Default::default(),
            following: Default::default(),
            behind: Default::default(),
            is_next: Default::default(),
            is_greeting: Default::default(),
            aligned: Default::default(),
            counted: Default::default(),
            short: Default::default(),
            complains: Default::default(),
            next_address: Default::default(),
            next_left: Default::default(),
            final_word: Default::default(),
            hello: byte(wire::Op::Hello.code()),
            read: byte(wire::Op::Read.code()),
            write: byte(wire::Op::Write.code()),
            check: byte(wire::Op::Check.code()),
            bye: byte(wire::Op::Bye.code()),
            again: byte(wire::Op::Again.code()),
            reply: byte(wire::REPLY),
            first_seq: byte(wire::FIRST),
            greeting_word: word(wire::GREETING),
            hello_word: word((wire::PAYLOAD as u32) << 16 | u32::from(wire::VERSION)),
            most: word(wire::PAYLOAD as u32),
            status_ok: byte(wire::Status::Ok.code()),
            status_bus: byte(wire::Status::Bus.code()),
            status_refused: byte(wire::Status::Refused.code()),
            status_again: byte(wire::Status::Again.code()),
            status_closed: byte(wire::Status::Closed.code()),
        }
    }
}

impl Logic for Executor {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, session, last, complained, in_order, raw, fixed, writing, reading, checking, greeting);
        dff_setup!(self, clock, code, seq, status, address, left, word, index, lane);
        self.done.next = self.state.q.val() == ExecutorState::Done;
        self.open.next = self.session.q.val();
        self.payload_index.next = self.index.q.val();
        self.bus_valid.next = self.state.q.val() == ExecutorState::Accessing;
        self.bus_write.next = self.writing.q.val();
        self.bus_address.next = self.address.q.val();
        self.bus_data.next = self.word.q.val();
        self.sum_clear.next = self.state.q.val() == ExecutorState::Judging;
        self.sum_take.next = self.state.q.val() == ExecutorState::Summing;
        self.sum_byte.next = self.word.q.val().get_bits::<8>(0);
        self.out_valid.next = false;
        self.out_data.next = self.status.q.val();
        self.out_raw.next = self.raw.q.val();
        self.out_last.next = false;

        self.head_code.next = self.head.val().get_bits::<8>(0);
        self.head_seq.next = self.head.val().get_bits::<8>(8);
        self.head_address.next = self.head.val().get_bits::<32>(16);
        // uartbone has the highest byte first.
        self.bone_address.next = (bit_cast::<32, 8>(self.head.val().get_bits::<8>(16)) << 24)
            | ((bit_cast::<32, 8>(self.head.val().get_bits::<8>(24)) << 16)
                | ((bit_cast::<32, 8>(self.head.val().get_bits::<8>(32)) << 8) | bit_cast::<32, 8>(self.head.val().get_bits::<8>(40))));
        self.following.next = self.last.q.val() + 1;
        self.behind.next = self.last.q.val() - self.head_seq.val();
        self.is_next.next = self.behind.val().all();
        self.is_greeting.next = (self.head_code.val() == self.hello.val())
            & ((self.head_address.val() == self.greeting_word.val()) & (self.head_seq.val() == self.first_seq.val()));
        self.aligned.next = !self.head_address.val().get_bit(0) & !self.head_address.val().get_bit(1);
        // The count of a read or a check.
        self.counted.next = (self.words.val() == 1)
            & (self.payload_word.val().any() & (!self.payload_word.val().get_bit(0) & !self.payload_word.val().get_bit(1)));
        self.short.next = self.payload_word.val() <= self.most.val();
        self.complains.next = false;
        self.next_address.next = self.address.q.val() + 1;
        if self.fixed.q.val() {
            self.next_address.next = self.address.q.val();
        }
        self.next_left.next = self.left.q.val() - 1;
        self.final_word.next = self.left.q.val() == 1;

        match self.state.q.val() {
            ExecutorState::Waiting => {
                self.index.d.next = 0.into();
                self.lane.d.next = 0.into();
                self.in_order.d.next = false;
                self.fixed.d.next = false;
                self.writing.d.next = false;
                self.reading.d.next = false;
                self.checking.d.next = false;
                self.greeting.d.next = false;
                self.status.d.next = self.status_ok.val();
                if self.command.val() {
                    self.raw.d.next = !self.frame.val();
                    self.state.d.next = ExecutorState::Fetching;
                }
            }
            ExecutorState::Fetching => {
                self.code.d.next = self.head_code.val();
                self.seq.d.next = self.head_seq.val();
                self.state.d.next = ExecutorState::Judging;
            }
            ExecutorState::Judging => {
                self.word.d.next = self.payload_word.val();
                self.index.d.next = 1.into();
                self.left.d.next = bit_cast::<30, 10>(self.words.val());
                self.state.d.next = ExecutorState::SendingOp;
                if self.raw.q.val() {
                    self.address.d.next = self.bone_address.val();
                    self.fixed.d.next = self.head_code.val() > 2;
                    self.writing.d.next = self.head_code.val().get_bit(0);
                    self.reading.d.next = !self.head_code.val().get_bit(0);
                    self.state.d.next = ExecutorState::Accessing;
                } else {
                    self.address.d.next = self.head_address.val() >> 2;
                    if self.broken.val() {
                        self.complains.next = true;
                    } else if self.is_greeting.val() {
                        self.session.d.next = true;
                        self.last.d.next = self.head_seq.val();
                        self.complained.d.next = false;
                        self.greeting.d.next = true;
                        self.word.d.next = self.hello_word.val();
                    } else if !self.session.q.val() {
                        self.status.d.next = self.status_closed.val();
                    } else if self.behind.val().get_bit(7) & !self.is_next.val() {
                        self.complains.next = true;
                    } else {
                        self.in_order.d.next = self.is_next.val();
                        self.status.d.next = self.status_refused.val();
                        if self.aligned.val() {
                            if (self.head_code.val() == self.write.val()) & self.words.val().any() {
                                self.status.d.next = self.status_ok.val();
                                if self.is_next.val() {
                                    self.writing.d.next = true;
                                    self.state.d.next = ExecutorState::Accessing;
                                }
                            }
                            if (self.head_code.val() == self.read.val()) & (self.counted.val() & self.short.val()) {
                                self.status.d.next = self.status_ok.val();
                                self.reading.d.next = true;
                                self.left.d.next = self.payload_word.val().get_bits::<30>(2);
                            }
                            if (self.head_code.val() == self.check.val()) & self.counted.val() {
                                self.status.d.next = self.status_ok.val();
                                self.checking.d.next = true;
                                self.left.d.next = self.payload_word.val().get_bits::<30>(2);
                                self.state.d.next = ExecutorState::Accessing;
                            }
                            if (self.head_code.val() == self.bye.val()) & !self.words.val().any() {
                                self.status.d.next = self.status_ok.val();
                            }
                        }
                    }
                }
                if self.complains.val() {
                    self.complained.d.next = true;
                    self.code.d.next = self.again.val();
                    self.seq.d.next = self.following.val();
                    self.status.d.next = self.status_again.val();
                    if self.complained.q.val() {
                        self.state.d.next = ExecutorState::Done;
                    }
                }
            }
            ExecutorState::Accessing => {
                if self.bus_done.val() {
                    self.address.d.next = self.next_address.val();
                    self.left.d.next = self.next_left.val();
                    if !self.writing.q.val() {
                        self.word.d.next = self.bus_word.val();
                    }
                    if self.bus_error.val() {
                        self.status.d.next = self.status_bus.val();
                    }
                    if self.reading.q.val() {
                        self.state.d.next = ExecutorState::SendingWord;
                    } else if self.bus_error.val() & !self.raw.q.val() {
                        self.state.d.next = ExecutorState::SendingOp;
                    } else if self.checking.q.val() {
                        self.state.d.next = ExecutorState::Summing;
                    } else {
                        self.state.d.next = ExecutorState::Stepping;
                        if self.final_word.val() {
                            self.state.d.next = ExecutorState::SendingOp;
                            if self.raw.q.val() {
                                self.state.d.next = ExecutorState::Done;
                            }
                        }
                    }
                }
            }
            ExecutorState::Stepping => {
                self.word.d.next = self.payload_word.val();
                self.index.d.next = self.index.q.val() + 1;
                self.state.d.next = ExecutorState::Accessing;
            }
            ExecutorState::Summing => {
                self.word.d.next = self.word.q.val() >> 8;
                self.lane.d.next = self.lane.q.val() + 1;
                if self.lane.q.val().all() {
                    self.state.d.next = ExecutorState::Accessing;
                    if !self.left.q.val().any() {
                        self.state.d.next = ExecutorState::SendingOp;
                    }
                }
            }
            ExecutorState::SendingOp => {
                self.out_valid.next = true;
                self.out_data.next = self.code.q.val() | self.reply.val();
                if self.checking.q.val() {
                    self.word.d.next = self.sum.val();
                }
                if self.out_ready.val() {
                    self.state.d.next = ExecutorState::SendingSeq;
                }
            }
            ExecutorState::SendingSeq => {
                self.out_valid.next = true;
                self.out_data.next = self.seq.q.val();
                if self.out_ready.val() {
                    self.state.d.next = ExecutorState::SendingStatus;
                    if self.reading.q.val() {
                        self.state.d.next = ExecutorState::Accessing;
                    } else if self.checking.q.val() | self.greeting.q.val() {
                        self.state.d.next = ExecutorState::SendingWord;
                    }
                }
            }
            ExecutorState::SendingWord => {
                self.out_valid.next = true;
                self.out_data.next = self.word.q.val().get_bits::<8>(0);
                if self.raw.q.val() {
                    self.out_data.next = self.word.q.val().get_bits::<8>(24);
                }
                if self.out_ready.val() {
                    self.lane.d.next = self.lane.q.val() + 1;
                    self.word.d.next = self.word.q.val() >> 8;
                    if self.raw.q.val() {
                        self.word.d.next = self.word.q.val() << 8;
                    }
                    if self.lane.q.val().all() {
                        self.state.d.next = ExecutorState::SendingStatus;
                        if self.reading.q.val() & self.left.q.val().any() {
                            self.state.d.next = ExecutorState::Accessing;
                        } else if self.raw.q.val() {
                            self.state.d.next = ExecutorState::Done;
                        }
                    }
                }
            }
            ExecutorState::SendingStatus => {
                self.out_valid.next = true;
                self.out_last.next = true;
                if self.out_ready.val() {
                    self.state.d.next = ExecutorState::Done;
                }
            }
            ExecutorState::Done => {
                self.state.d.next = ExecutorState::Waiting;
                if self.in_order.q.val() & (self.status.q.val() == self.status_ok.val()) {
                    self.last.d.next = self.seq.q.val();
                    self.complained.d.next = false;
                    if self.code.q.val() == self.bye.val() {
                        self.session.d.next = false;
                    }
                }
            }
            // Rust knows no other state, but flip-flops do.
            #[allow(unreachable_patterns)]
            _ => {
                self.state.d.next = ExecutorState::Waiting;
            }
        }
    }
}

/// The executor as a module.
pub fn executor() -> Result<Arc<Module>, ImportError> {
    let doc = "Carries out the commands of the link: one word at a time, requests in their order, each once.";
    Import::new("link_executor", file!()).doc(doc).reset().module(&Executor::default())
}
