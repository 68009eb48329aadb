// SPDX-License-Identifier: MIT OR Apache-2.0
//! rust-hdl blocks that together use every construct the import knows.

use rust_hdl::prelude::*;

/// Two memories, one of signed words, and an asynchronous table, in one block and on one clock.
#[derive(LogicBlock)]
pub struct Memories {
    pub clock: Signal<In, Clock>,
    pub write: Signal<In, Bit>,
    pub address: Signal<In, Bits<3>>,
    pub data: Signal<In, Bits<8>>,
    pub unsigned: Signal<Out, Bits<8>>,
    pub signed: Signal<Out, Signed<8>>,
    pub table: Signal<Out, Bits<8>>,
    words: RAM<Bits<8>, 3>,
    numbers: RAM<Signed<8>, 3>,
    squares: ROM<Bits<8>, 3>,
}

impl Default for Memories {
    fn default() -> Self {
        Self {
            clock: Default::default(),
            write: Default::default(),
            address: Default::default(),
            data: Default::default(),
            unsigned: Default::default(),
            signed: Default::default(),
            table: Default::default(),
            words: RAM::from([3u8, 1, 4, 1, 5].into_iter().map(|w| w.to_bits())),
            numbers: RAM::from([-1i8, 2, -128].into_iter().map(|w| w.to_signed_bits())),
            squares: ROM::from((0u8..8).map(|w| (w * w).to_bits())),
        }
    }
}

impl Logic for Memories {
    #[hdl_gen]
    fn update(&mut self) {
        self.words.read_clock.next = self.clock.val();
        self.words.write_clock.next = self.clock.val();
        self.numbers.read_clock.next = self.clock.val();
        self.numbers.write_clock.next = self.clock.val();
        self.words.write_enable.next = self.write.val();
        self.words.write_address.next = self.address.val();
        self.words.write_data.next = self.data.val();
        self.words.read_address.next = self.address.val() + 1;
        self.numbers.write_enable.next = !self.write.val();
        self.numbers.write_address.next = self.address.val() ^ 5;
        self.numbers.write_data.next = signed_cast(self.data.val());
        self.numbers.read_address.next = self.address.val();
        self.squares.address.next = self.address.val();
        self.unsigned.next = self.words.read_data.val();
        self.signed.next = self.numbers.read_data.val();
        self.table.next = self.squares.data.val();
    }
}

/// Every operator, among them the four constructs that rust-hdl prints with another meaning.
#[derive(LogicBlock, Default)]
pub struct Operators {
    pub a: Signal<In, Bits<8>>,
    pub b: Signal<In, Bits<8>>,
    pub n: Signal<In, Bits<3>>,
    pub s: Signal<In, Signed<16>>,
    pub t: Signal<In, Signed<16>>,
    pub bit: Signal<In, Bit>,
    pub sum: Signal<Out, Bits<8>>,
    pub difference: Signal<Out, Bits<8>>,
    pub logic: Signal<Out, Bits<8>>,
    pub shifted: Signal<Out, Bits<8>>,
    pub wide: Signal<Out, Bits<40>>,
    pub parts: Signal<Out, Bits<8>>,
    pub reductions: Signal<Out, Bits<8>>,
    pub order: Signal<Out, Bits<8>>,
    pub signed_sum: Signal<Out, Signed<16>>,
    pub product: Signal<Out, Signed<48>>,
    pub extended: Signal<Out, Signed<24>>,
    pub position: Signal<Out, Bits<8>>,
    upper: Signal<Local, Signed<8>>,
}

impl Logic for Operators {
    #[hdl_gen]
    #[allow(clippy::precedence)]
    fn update(&mut self) {
        // A literal in a sum that is shifted takes 8 bits.
        self.sum.next = ((self.a.val() + 1) >> 1) + self.b.val() + self.bit.val();
        self.difference.next = 100 - self.a.val() - (self.b.val() - 3);
        self.logic.next = (self.a.val() & 0xa5) | (!self.b.val() ^ 0x0f);
        self.shifted.next = (self.a.val() << self.n.val()) ^ (self.b.val() >> self.n.val()) ^ (self.a.val() << 7) ^ (self.b.val() >> 9);
        self.wide.next = bit_cast::<40, 8>(self.a.val()) - bit_cast::<40, 64>(1 << self.n.val());
        self.parts.next = bit_cast::<8, 4>(self.a.val().get_bits::<4>(3)) + self.b.val().get_bits::<8>(self.n.val().index());
        self.reductions.next = 0.into();
        if self.a.val().any() && !self.b.val().all() || self.a.val().xor() {
            self.reductions.next = self.a.val().replace_bit(2, self.bit.val());
        } else if self.a.val().get_bit(self.n.val().index()) {
            self.reductions.next = 1.into();
        }
        // Rust's `&` binds tighter than `==`, Verilog's does not.
        self.order.next = bit_cast::<8, 1>((self.a.val() & 15 == self.b.val()).into());
        if self.a.val() < self.b.val() {
            self.order.next = 2.into();
        } else if self.s.val() < self.t.val() {
            self.order.next = 3.into();
        } else if (self.a.val() != 200) & (self.b.val() > 100) & (self.a.val() >= 7) & (self.b.val() <= 250) {
            self.order.next = 4.into();
        }
        self.signed_sum.next = -(self.s.val() + self.t.val()) - self.s.val();
        // rust-hdl's text cuts the product to 16 bits first.
        self.product.next = signed_bit_cast::<48, 32>(self.s.val() * self.t.val());
        // ... and takes slices of signed values for unsigned ones.
        self.upper.next = self.s.val().get_bits::<8>(8);
        self.extended.next = signed_bit_cast::<24, 8>(self.upper.val());
        if self.s.val().get_bits::<8>(8) < self.t.val().get_bits::<8>(4) {
            self.extended.next = signed_bit_cast::<24, 16>(self.t.val());
        }
        self.position.next = self.b.val().replace_bit(self.n.val().index(), self.bit.val());
    }
}

/// A stage that adds its index; many of these make one module per index at most.
#[derive(LogicBlock)]
pub struct Stage {
    pub clock: Signal<In, Clock>,
    pub data: Signal<In, Bits<8>>,
    pub out: Signal<Out, Bits<8>>,
    offset: Constant<Bits<8>>,
    held: DFF<Bits<8>>,
}

impl Stage {
    pub fn new(offset: u8) -> Self {
        Self {
            clock: Default::default(),
            data: Default::default(),
            out: Default::default(),
            offset: Constant::new(offset.to_bits()),
            held: Default::default(),
        }
    }
}

impl Logic for Stage {
    #[hdl_gen]
    fn update(&mut self) {
        self.held.clock.next = self.clock.val();
        self.held.d.next = self.data.val() + self.offset.val();
        self.out.next = self.held.q.val();
    }
}

/// A chain of run-time length.
#[derive(LogicBlock)]
pub struct Lanes {
    pub clock: Signal<In, Clock>,
    pub data: Signal<In, Bits<8>>,
    pub select: Signal<In, Bits<2>>,
    pub total: Signal<Out, Bits<8>>,
    pub chosen: Signal<Out, Bits<8>>,
    pub last: Signal<Out, Bits<8>>,
    stages: Vec<Stage>,
    partial: Vec<Signal<Local, Bits<8>>>,
    _n: usize,
}

impl Lanes {
    pub fn new(n: usize) -> Self {
        Self {
            clock: Default::default(),
            data: Default::default(),
            select: Default::default(),
            total: Default::default(),
            chosen: Default::default(),
            last: Default::default(),
            stages: (0..n).map(|i| Stage::new((i % 2) as u8)).collect(),
            partial: (0..n).map(|_| Default::default()).collect(),
            _n: n,
        }
    }
}

impl Logic for Lanes {
    #[hdl_gen]
    fn update(&mut self) {
        for i in 0..(self._n) {
            self.stages[i].clock.next = self.clock.val();
        }
        self.stages[0].data.next = self.data.val();
        for i in 1..(self._n) {
            self.stages[i].data.next = self.stages[i - 1].out.val();
        }
        self.partial[0].next = self.stages[0].out.val();
        for i in 1..(self._n) {
            self.partial[i].next = self.partial[i - 1].val() + self.stages[i].out.val();
        }
        self.chosen.next = 0xff.into();
        self.last.next = 0.into();
        self.total.next = 0.into();
        for i in 0..(self._n) {
            if self.select.val().index() == 2 * i {
                self.chosen.next = self.stages[i].out.val();
            }
            self.last.next = self.stages[i].out.val();
            self.total.next = self.partial[i].val();
        }
    }
}

#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum Mode {
    Low,
    Middle,
    High,
}

#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct Pixel {
    pub red: Bits<5>,
    pub mode: Mode,
    pub flag: Bit,
    pub blue: Bits<4>,
}

#[derive(LogicInterface, Default)]
#[join = "BusIn"]
pub struct BusOut {
    pub valid: Signal<Out, Bit>,
    pub data: Signal<Out, Bits<16>>,
    pub ready: Signal<In, Bit>,
}

#[derive(LogicInterface, Default)]
#[join = "BusOut"]
pub struct BusIn {
    pub valid: Signal<In, Bit>,
    pub data: Signal<In, Bits<16>>,
    pub ready: Signal<Out, Bit>,
}

#[derive(LogicBlock, Default)]
pub struct Sender {
    pub bus: BusOut,
    pub from: BusIn,
}

impl Logic for Sender {
    #[hdl_gen]
    fn update(&mut self) {
        self.bus.valid.next = self.from.valid.val();
        self.bus.data.next = self.from.data.val() ^ 0x00ff;
        self.from.ready.next = self.bus.ready.val();
    }
}

#[derive(LogicBlock, Default)]
pub struct Receiver {
    pub clock: Signal<In, Clock>,
    pub bus: BusIn,
    pub pixel: Signal<Out, Pixel>,
    mode: DFF<Mode>,
    held: DFF<Pixel>,
}

impl Logic for Receiver {
    #[hdl_gen]
    #[allow(clippy::single_match)]
    fn update(&mut self) {
        dff_setup!(self, clock, mode, held);
        self.pixel.next = self.held.q.val();
        self.bus.ready.next = true;
        if self.bus.valid.val() {
            match self.mode.q.val() {
                Mode::Low => self.mode.d.next = Mode::Middle,
                Mode::Middle => {
                    self.bus.ready.next = false;
                    self.mode.d.next = Mode::High;
                }
                Mode::High => {
                    self.mode.d.next = Mode::Low;
                }
            }
            self.held.d.next.red = self.bus.data.val().get_bits::<5>(0);
            self.held.d.next.mode = self.mode.q.val();
            self.held.d.next.flag = self.mode.q.val() == Mode::High;
        }
        match self.mode.q.val() == Mode::Low {
            true => self.held.d.next.blue = self.bus.data.val().get_bits::<4>(12),
            false => {}
        }
    }
}

/// Structs, interfaces with `link` and `join`, a `match` on an enum of three values and one on a `bool`.
#[derive(LogicBlock, Default)]
pub struct Records {
    pub clock: Signal<In, Clock>,
    pub word: Signal<In, Bits<16>>,
    pub bus: BusIn,
    pub red: Signal<Out, Bits<5>>,
    pub middle: Signal<Out, Bit>,
    pub packed: Signal<Out, Bits<8>>,
    sender: Sender,
    receiver: Receiver,
    mode: Signal<Local, Mode>,
}

impl Logic for Records {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, receiver);
        BusIn::link(&mut self.bus, &mut self.sender.from);
        BusOut::join(&mut self.sender.bus, &mut self.receiver.bus);
        self.red.next = self.receiver.pixel.val().red;
        self.middle.next = (self.receiver.pixel.val().mode == Mode::Middle) ^ self.receiver.pixel.val().flag;
        self.mode.next = Mode::High;
        if self.word.val().get_bit(0) {
            self.mode.next = Mode::Low;
        } else if self.word.val().get_bit(1) {
            self.mode.next = Mode::Middle;
        }
        // No default before it: the last arm covers what is left.
        match self.mode.val() {
            Mode::Low => self.packed.next = 1.into(),
            Mode::Middle => self.packed.next = self.word.val().get_bits::<8>(4),
            Mode::High => self.packed.next = bit_cast::<8, 4>(self.receiver.pixel.val().blue),
        }
    }
}

/// Registers that start at something other than zero.
#[derive(LogicBlock)]
pub struct Presets {
    pub clock: Signal<In, Clock>,
    pub step: Signal<In, Bits<4>>,
    pub count: Signal<Out, Bits<8>>,
    pub offset: Signal<Out, Bits<6>>,
    pub flag: Signal<Out, Bit>,
    counter: DFFWithInit<Bits<8>>,
    line: DFFWithInit<Bit>,
    plain: rust_hdl::widgets::edge_ff::EdgeDFF<Bits<6>>,
}

impl Default for Presets {
    fn default() -> Self {
        Self {
            clock: Default::default(),
            step: Default::default(),
            count: Default::default(),
            offset: Default::default(),
            flag: Default::default(),
            counter: DFFWithInit::new(200.into()),
            line: DFFWithInit::new(true),
            plain: rust_hdl::widgets::edge_ff::EdgeDFF::new(33.into()),
        }
    }
}

impl Logic for Presets {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, counter, line);
        self.plain.clk.next = self.clock.val();
        self.counter.d.next = self.counter.q.val() + bit_cast::<8, 4>(self.step.val());
        self.line.d.next = self.counter.q.val().get_bit(7);
        self.plain.d.next = self.plain.q.val() - 5;
        self.count.next = self.counter.q.val();
        self.flag.next = self.line.q.val();
        self.offset.next = self.plain.q.val();
    }
}
