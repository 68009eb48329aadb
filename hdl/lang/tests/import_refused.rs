// SPDX-License-Identifier: MIT OR Apache-2.0
//! The constructs that rust-hdl prints with another meaning than it simulates, and those the import refuses.
#![cfg(feature = "import")]

use heddle_lang::{
    Bits, Module,
    import::{self, machines::UartTransmitter},
    sim::Simulator,
    verilog,
};
use rust_hdl::prelude::{self as hdl, *};
use std::sync::Arc;

fn imported(block: &impl Block) -> Arc<Module> {
    import::module(block, "block", file!()).unwrap_or_else(|e| panic!("{e}"))
}

/// The message of a refusal.
fn refused(block: &impl Block) -> String {
    match import::module(block, "block", file!()) {
        Ok(_) => panic!("was imported"),
        Err(e) => e.to_string(),
    }
}

/// The one output `y` of a combinational module.
fn output(module: &Arc<Module>, inputs: &[(&str, i128)]) -> i128 {
    let mut sim = Simulator::new(module).unwrap();
    for (name, value) in inputs {
        let port = sim.port(name).unwrap();
        sim.set_bits(port, &Bits::from_i128(port.ty().width(), *value));
    }
    let y = sim.port("y").unwrap();
    let bits = sim.get_bits(y);
    if y.ty().is_signed() { bits.to_i128() } else { i128::from(bits.low_u64()) }
}

/// A block with inputs, one output `y` and local signals; its kernel follows.
macro_rules! block {
    ($name:ident { $($input:ident: $ty:ty),* } -> $out:ty) => {
        block!($name { $($input: $ty),* } [] -> $out);
    };
    ($name:ident { $($input:ident: $ty:ty),* } [$($local:ident: $local_ty:ty),*] -> $out:ty) => {
        #[derive(LogicBlock, Default)]
        struct $name {
            $(pub $input: Signal<In, $ty>,)*
            pub y: Signal<Out, $out>,
            $($local: Signal<Local, $local_ty>,)*
        }
    };
}

mod mismatches {
    use super::*;

    block!(Precedence { a: hdl::Bits<8>, b: hdl::Bits<8> } -> Bit);

    impl Logic for Precedence {
        #[hdl_gen]
        #[allow(clippy::precedence)]
        fn update(&mut self) {
            self.y.next = self.a.val() & 15 == self.b.val();
        }
    }

    /// rust-hdl prints `a & 32'hf == b`, which Verilog reads as `a & (15 == b)`.
    #[test]
    fn precedence_is_that_of_rust() {
        let m = imported(&Precedence::default());
        assert_eq!(output(&m, &[("a", 0x35), ("b", 5)]), 1);
        assert_eq!(output(&m, &[("a", 0x35), ("b", 15)]), 0);
    }

    block!(ShiftedSum { a: hdl::Bits<8> } -> hdl::Bits<8>);

    impl Logic for ShiftedSum {
        #[hdl_gen]
        fn update(&mut self) {
            self.y.next = (self.a.val() + 1) >> 1;
        }
    }

    /// rust-hdl prints `(a + 32'h1) >> 32'h1`, whose carry survives.
    #[test]
    fn a_literal_takes_the_width_of_its_partner() {
        let m = imported(&ShiftedSum::default());
        assert_eq!(output(&m, &[("a", 255)]), 0);
        assert_eq!(output(&m, &[("a", 254)]), 127);
    }

    block!(Product { s: Signed<16>, t: Signed<16> } -> Signed<48>);

    impl Logic for Product {
        #[hdl_gen]
        fn update(&mut self) {
            self.y.next = signed_bit_cast::<48, 32>(self.s.val() * self.t.val());
        }
    }

    /// rust-hdl prints `$signed(s * t)`, a product of 16 bits.
    #[test]
    fn a_product_is_extended_whole() {
        let m = imported(&Product::default());
        assert_eq!(output(&m, &[("s", -1000), ("t", 2000)]), -2_000_000);
        assert_eq!(output(&m, &[("s", -32768), ("t", -32768)]), 1 << 30);
    }

    block!(Slices { s: Signed<16>, t: Signed<16> } -> Bit);

    impl Logic for Slices {
        #[hdl_gen]
        fn update(&mut self) {
            self.y.next = self.s.val().get_bits::<8>(8) < self.t.val().get_bits::<8>(8);
        }
    }

    /// rust-hdl prints part-selects, which are unsigned.
    #[test]
    fn slices_of_signed_values_are_signed() {
        let m = imported(&Slices::default());
        assert_eq!(output(&m, &[("s", -256), ("t", 256)]), 1);
        assert_eq!(output(&m, &[("s", 256), ("t", -256)]), 0);
    }

    block!(Lowest { s: Signed<8> } -> Signed<16>);

    impl Logic for Lowest {
        #[hdl_gen]
        fn update(&mut self) {
            self.y.next = signed_bit_cast::<16, 8>(self.s.val());
        }
    }

    /// rust-hdl's simulation of `signed_bit_cast(-128)` overflows the stack; the import extends the sign.
    #[test]
    fn the_lowest_value_is_extended_like_any_other() {
        let m = imported(&Lowest::default());
        assert_eq!(output(&m, &[("s", -128)]), -128);
        assert_eq!(output(&m, &[("s", -127)]), -127);
    }
}

mod refusals {
    use super::*;

    block!(CastComparison { s: Signed<8>, t: Signed<8> } -> Bit);

    impl Logic for CastComparison {
        #[hdl_gen]
        fn update(&mut self) {
            self.y.next = signed_bit_cast::<16, 8>(self.s.val()) < signed_bit_cast::<16, 8>(self.t.val());
        }
    }

    #[test]
    fn a_signed_cast_to_a_width_that_nothing_tells() {
        let message = refused(&CastComparison::default());
        assert!(message.contains("`block`") && message.contains("signed_bit_cast(s) < signed_bit_cast(t)"), "{message}");
    }

    block!(SumComparison { a: hdl::Bits<8>, b: hdl::Bits<8> } -> Bit);

    impl Logic for SumComparison {
        #[hdl_gen]
        fn update(&mut self) {
            self.y.next = self.a.val() + 1 == self.b.val();
        }
    }

    block!(IndexComparison { a: hdl::Bits<8>, b: hdl::Bits<8> } -> Bit);

    impl Logic for IndexComparison {
        #[hdl_gen]
        fn update(&mut self) {
            self.y.next = self.a.val().index() + 1 == self.b.val().index();
        }
    }

    /// Both leave the same tree, but at 255 only the first wraps.
    #[test]
    fn a_sum_that_may_have_been_made_of_indices() {
        let [sum, index] = [refused(&SumComparison::default()), refused(&IndexComparison::default())];
        assert!(sum.contains("`a + 1` wraps"), "{sum}");
        assert_eq!(sum, index);
    }

    block!(IndexArithmetic { a: hdl::Bits<32>, n: hdl::Bits<2> } -> hdl::Bits<8>);

    impl Logic for IndexArithmetic {
        #[hdl_gen]
        fn update(&mut self) {
            self.y.next = self.a.val().get_bits::<8>(self.n.val().index() << 3);
        }
    }

    #[test]
    fn arithmetic_on_an_index() {
        let message = refused(&IndexArithmetic::default());
        assert!(message.contains("`n << 3`") && message.contains("assign it to a signal"), "{message}");
    }

    block!(Latch { a: Bit } -> hdl::Bits<4>);

    impl Logic for Latch {
        #[hdl_gen]
        fn update(&mut self) {
            if self.a.val() {
                self.y.next = 3.into();
            }
        }
    }

    #[test]
    fn a_latch() {
        assert_eq!(refused(&Latch::default()), "rust-hdl block `block`: `y`: not assigned on every path: a latch");
    }

    block!(Between { a: hdl::Bits<4> } [t: hdl::Bits<4>] -> hdl::Bits<4>);

    impl Logic for Between {
        #[hdl_gen]
        fn update(&mut self) {
            self.t.next = self.a.val();
            self.y.next = self.t.val() + 1;
            self.t.next = 0.into();
        }
    }

    #[test]
    fn a_read_between_two_assignments() {
        let message = refused(&Between::default());
        assert!(message.contains("`t`: read between two of its assignments"), "{message}");
    }

    block!(Circle { a: hdl::Bits<4> } [t: hdl::Bits<4>, u: hdl::Bits<4>] -> hdl::Bits<4>);

    impl Logic for Circle {
        #[hdl_gen]
        fn update(&mut self) {
            self.t.next = self.u.val() + self.a.val();
            self.u.next = self.t.val() ^ 1;
            self.y.next = self.u.val();
        }
    }

    #[test]
    fn a_combinational_loop() {
        let message = refused(&Circle::default());
        assert!(message.contains("combinational loop") && message.contains("u <- t"), "{message}");
    }

    block!(Undriven { a: Bit } [t: Bit] -> Bit);

    impl Logic for Undriven {
        #[hdl_gen]
        fn update(&mut self) {
            self.y.next = self.a.val() ^ self.t.val();
        }
    }

    #[test]
    fn a_signal_that_is_never_assigned() {
        assert!(refused(&Undriven::default()).contains("`t`: never assigned"));
    }

    const LIMIT: LiteralType = 9;

    block!(FreeConstant { a: hdl::Bits<8> } -> Bit);

    impl Logic for FreeConstant {
        #[hdl_gen]
        fn update(&mut self) {
            self.y.next = self.a.val() < LIMIT;
        }
    }

    #[test]
    fn a_constant_outside_of_the_block() {
        let message = refused(&FreeConstant::default());
        assert!(message.contains("`LIMIT`") && message.contains("`Constant` field"), "{message}");
    }

    block!(LongLiteral { a: hdl::Bits<4> } -> hdl::Bits<4>);

    impl Logic for LongLiteral {
        #[hdl_gen]
        fn update(&mut self) {
            self.y.next = self.a.val() + 16;
        }
    }

    #[test]
    fn a_literal_that_does_not_fit() {
        let message = refused(&LongLiteral::default());
        assert!(message.contains("y.next = a + 16") && message.contains("16 does not fit u4"), "{message}");
    }

    #[derive(LogicBlock, Default)]
    struct Gated {
        pub clock: Signal<In, Clock>,
        pub y: Signal<Out, Bit>,
        state: DFF<Bit>,
    }

    impl Logic for Gated {
        #[hdl_gen]
        fn update(&mut self) {
            self.state.clock.next = !self.clock.val();
            self.state.d.next = !self.state.q.val();
            self.y.next = self.state.q.val();
        }
    }

    #[test]
    fn a_clock_that_is_computed() {
        let message = refused(&Gated::default());
        assert!(message.contains("`state.clock`: a clock that is computed"), "{message}");
    }

    #[test]
    fn widgets_without_a_synchronous_meaning() {
        let tristate = refused(&TristateBuffer::<hdl::Bits<8>>::default());
        assert!(tristate.contains("Verilog text that is none of"), "{tristate}");
        let two_clocks = refused(&AsynchronousFIFO::<hdl::Bits<8>, 4, 5, 1>::default());
        assert!(two_clocks.contains("`ram`: a RAM that is read and written by different clocks"), "{two_clocks}");
        let no_kernel = refused(&rust_hdl::widgets::accum::Accum::<8, 16, 4>::new(10));
        assert!(no_kernel.contains("lacks `#[hdl_gen]`"), "{no_kernel}");
    }

    #[derive(LogicBlock, Default)]
    struct Outer {
        pub clock: Signal<In, Clock>,
        pub a: Signal<In, Bit>,
        pub y: Signal<Out, hdl::Bits<4>>,
        inner: Latch,
    }

    impl Logic for Outer {
        #[hdl_gen]
        fn update(&mut self) {
            self.inner.a.next = self.a.val();
            self.y.next = self.inner.y.val();
        }
    }

    #[test]
    fn the_block_is_named_by_its_field_path() {
        assert!(refused(&Outer::default()).starts_with("rust-hdl block `block.inner`: `y`"));
    }
}

#[test]
fn the_import_is_the_same_each_time() {
    let text = || {
        let m = import::Import::new("uart", "uart.rs").reset().module(&UartTransmitter::default()).unwrap();
        verilog::module(&m, &verilog::Options::default()).unwrap()
    };
    let first = text();
    assert_eq!(first, text());
    assert!(first.contains("case (state_q)") && first.contains("UART_TRANSMITTER_START_BIT: begin"), "{first}");
    assert!(!first.contains('$'), "{first}");
}
