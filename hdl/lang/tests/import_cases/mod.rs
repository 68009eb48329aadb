// SPDX-License-Identifier: MIT OR Apache-2.0
//! Blocks that are imported and then compared with rust-hdl's own simulation, port by port, cycle by cycle.

mod blocks;

use blocks::*;
use heddle_lang::{
    Bits, Module,
    import::{
        Import, ImportError,
        machines::{PowerDomain, Sequencer, UartTransmitter},
        reference::{Reference, Stimulus, Unsettled},
    },
};
use rust_hdl::prelude::{
    AutoReset, Block, DelayLine, EdgeDetector, FIFOReducer, LFSRSimple, MultiplyAccumulateSymmetricFiniteImpulseResponseFilter,
    PulseWidthModulator, Pulser, ROM, RegisterFIFO, SPIConfig, SPIMaster, Shot, Strobe, SyncROM, SynchronousFIFO, ToBits,
    VectorSynchronizer,
};
use std::{sync::Arc, time::Duration};

type Word<const N: usize> = rust_hdl::prelude::Bits<N>;

/// A block under rust-hdl's simulation, whatever its type.
pub trait Running {
    fn module(&self, import: Import) -> Result<Arc<Module>, ImportError>;
    fn inputs(&self) -> Vec<(String, u32)>;
    fn outputs(&self) -> Vec<String>;
    /// As the imported module calls them.
    fn clocks(&self) -> Vec<String>;
    fn step(&mut self, inputs: &[Bits]) -> Result<Vec<Bits>, Unsettled>;
}

impl<B: Block> Running for Reference<B> {
    fn module(&self, import: Import) -> Result<Arc<Module>, ImportError> {
        import.module(self.block())
    }

    fn inputs(&self) -> Vec<(String, u32)> {
        Reference::inputs(self).map(|(name, width)| (name.to_string(), width)).collect()
    }

    fn outputs(&self) -> Vec<String> {
        Reference::outputs(self).map(str::to_string).collect()
    }

    fn clocks(&self) -> Vec<String> {
        Reference::clocks(self).map(|c| if c == "clock" { "clk".into() } else { c.to_string() }).collect()
    }

    fn step(&mut self, inputs: &[Bits]) -> Result<Vec<Bits>, Unsettled> {
        Reference::step(self, inputs)
    }
}

pub struct Case {
    pub name: &'static str,
    /// The block at its start.
    pub start: Box<dyn Fn() -> Box<dyn Running>>,
    /// Keeps random inputs within what the block's author meant.
    pub adjust: fn(&mut [Bits]),
    /// Outputs that need not change during the test.
    pub quiet: &'static [&'static str],
}

/// One cycle: what goes in and what rust-hdl answers.
pub struct Cycle {
    pub inputs: Vec<Bits>,
    pub outputs: Vec<Bits>,
}

impl Case {
    pub fn module(&self, reset: bool) -> Arc<Module> {
        let import = Import::new(self.name, file!());
        let import = if reset { import.reset() } else { import };
        (self.start)().module(import).unwrap_or_else(|e| panic!("{e}"))
    }

    /// `cycles` cycles of rust-hdl's simulation; every output that is not `quiet` changes in them.
    pub fn record(&self, seed: u64, cycles: usize) -> Vec<Cycle> {
        let mut block = (self.start)();
        let widths: Vec<u32> = block.inputs().iter().map(|(_, w)| *w).collect();
        let mut stimulus = Stimulus::new(seed);
        let mut out: Vec<Cycle> = Vec::with_capacity(cycles);
        for _ in 0..cycles {
            let mut inputs = stimulus.draw(&widths);
            (self.adjust)(&mut inputs);
            let outputs = block.step(&inputs).unwrap_or_else(|e| panic!("{}: {e}", self.name));
            out.push(Cycle { inputs, outputs });
        }
        for (i, name) in block.outputs().iter().enumerate() {
            let changes = out.iter().any(|c| c.outputs[i] != out[0].outputs[i]);
            assert!(changes || self.quiet.contains(&name.as_str()), "{}: `{name}` never changes with seed {seed}", self.name);
        }
        out
    }
}

fn case(name: &'static str, start: impl Fn() -> Box<dyn Running> + 'static) -> Case {
    Case { name, start: Box::new(start), adjust: |_| {}, quiet: &[] }
}

/// `Reference` with ports named after fields.
macro_rules! ports {
    ($block:expr, clocks [$($clock:ident),*], inputs [$($($input:ident).+),*], outputs [$($($output:ident).+),*]) => {
        Box::new(Reference::new($block)
            $(.clock(stringify!($clock), |b| &mut b.$clock))*
            $(.input(&stringify!($($input).+).replace('.', "_"), |b| &mut b.$($input).+))*
            $(.output(&stringify!($($output).+).replace('.', "_"), |b| &b.$($output).+))*) as Box<dyn Running>
    };
}

fn low(value: &mut Bits, mask: u64) {
    *value = Bits::from_u64(value.width(), value.low_u64() & mask);
}

pub fn machines() -> Vec<Case> {
    vec![
        Case {
            adjust: |v| low(&mut v[0], 7),
            ..case(
                "uart_transmitter",
                || ports!(UartTransmitter::default(), clocks [clock], inputs [divisor, valid, data], outputs [ready, tx]),
            )
        },
        Case {
            adjust: |v| v[5] = Bits::from_u64(8, v[5].low_u64() % 8 + 4),
            ..case("power_domain", || {
                ports!(
                    PowerDomain::default(),
                    clocks [clock],
                    inputs [wanted, quiet, denied, weak_good, strong_good, limit, clear],
                    outputs [quiesce, clock_enable, isolate, save, restore, unit_reset, weak_switch, strong_switch, cause]
                )
            })
        },
        Case {
            // Mostly descriptors that exist.
            adjust: |v| {
                let word = v[5].low_u64();
                let choices = [1, 1, 1, 2, 3, word, word & 0xff, word & 0xff_ffff];
                v[5] = Bits::from_u64(32, choices[(word >> 28) as usize % 8]);
            },
            ..case("sequencer", || {
                ports!(
                    Sequencer::default(),
                    clocks [clock],
                    inputs [start, base, clear, fetch_ready, word_valid, word, unit_ready, unit_done],
                    outputs [fetch_valid, fetch_address, unit_valid, unit_rows, stopped, failed, outstanding]
                )
            })
        },
    ]
}

fn fifos() -> Vec<Case> {
    macro_rules! fifo {
        ($name:literal, $width:literal, $n:literal, $np1:literal, $block:literal) => {
            case($name, || {
                ports!(
                    SynchronousFIFO::<Word<$width>, $n, $np1, $block>::default(),
                    clocks [clock],
                    inputs [read, write, data_in],
                    outputs [data_out, empty, almost_empty, underflow, full, almost_full, overflow]
                )
            })
        };
    }
    vec![
        fifo!("fifo_16x8", 8, 4, 5, 1),
        fifo!("fifo_4x70", 70, 2, 3, 2),
        case(
            "register_fifo",
            || ports!(RegisterFIFO::<Word<12>>::default(), clocks [clock], inputs [data_in, write, read], outputs [data_out, full, empty]),
        ),
        case(
            "fifo_reducer",
            || ports!(FIFOReducer::<16, 8, true>::default(), clocks [clock], inputs [data_in, empty, full], outputs [read, data_out, write]),
        ),
    ]
}

fn counters() -> Vec<Case> {
    vec![
        case("strobe", || ports!(Strobe::<16>::new(1000, 100.0), clocks[clock], inputs[enable], outputs[strobe])),
        case("shot", || ports!(Shot::<8>::new(1000, Duration::from_millis(10)), clocks [clock], inputs [trigger], outputs [active, fired])),
        case("pulser", || ports!(Pulser::new(10_000, 500.0, Duration::from_millis(1)), clocks[clock], inputs[enable], outputs[pulse])),
        case("pwm", || ports!(PulseWidthModulator::<6>::default(), clocks [clock], inputs [enable, threshold], outputs [active])),
        case("delay_line", || ports!(DelayLine::<Word<8>, 8, 3>::default(), clocks [clock], inputs [data_in, delay], outputs [data_out])),
        case("edge_detector", || ports!(EdgeDetector::new(false), clocks[clock], inputs[input_signal], outputs[edge_signal])),
        case("auto_reset", || ports!(AutoReset::default(), clocks [clock], inputs [], outputs [reset])),
        case("lfsr", || ports!(LFSRSimple::default(), clocks[clock], inputs[strobe], outputs[num])),
        case("vector_synchronizer", || {
            ports!(
                VectorSynchronizer::<Word<8>>::default(),
                clocks [clock_in, clock_out],
                inputs [sig_in, send],
                outputs [busy, sig_out, update]
            )
        }),
    ]
}

fn larger() -> Vec<Case> {
    let config = SPIConfig { clock_speed: 16, cs_off: true, mosi_off: true, speed_hz: 1, cpha: true, cpol: false };
    vec![
        Case {
            // Up to 16 of 32 bits, so that no position passes the end.
            adjust: |v| low(&mut v[0], 15),
            ..case("spi_master", move || {
                ports!(
                    SPIMaster::<32>::new(config),
                    clocks [clock],
                    inputs [bits_outbound, data_outbound, start_send, continued_transaction, wires.miso],
                    outputs [data_inbound, transfer_done, busy, wires.mosi, wires.msel, wires.mclk]
                )
            })
        },
        case("fir", || {
            ports!(
                MultiplyAccumulateSymmetricFiniteImpulseResponseFilter::<4>::new(&[-3, 700, -32000, 31000, -32000, 700, -3]),
                clocks [clock],
                inputs [data_in, strobe_in],
                outputs [data_out, strobe_out, busy]
            )
        }),
        case("rom", || {
            let words = [7u8, 1, 255, 0, 9].into_iter().map(|w| w.to_bits());
            ports!(ROM::<Word<8>, 3>::from(words), clocks [], inputs [address], outputs [data])
        }),
        case("sync_rom", || {
            let words = [7u8, 1, 255, 0, 9].into_iter().map(|w| w.to_bits());
            ports!(SyncROM::<Word<8>, 3>::from(words), clocks[clock], inputs[address], outputs[data])
        }),
    ]
}

fn own_blocks() -> Vec<Case> {
    vec![
        case("memories", || ports!(Memories::default(), clocks [clock], inputs [write, address, data], outputs [unsigned, signed, table])),
        Case {
            // rust-hdl's `signed_bit_cast` of the lowest value calls itself without end.
            adjust: |v| {
                for i in [3, 4] {
                    let low = if v[i].low_u64() >> 8 == 0x80 { 0x7fff } else { 0xffff };
                    v[i] = Bits::from_u64(16, v[i].low_u64() & low);
                }
            },
            ..case("operators", || {
                ports!(
                    Operators::default(),
                    clocks [],
                    inputs [a, b, n, s, t, bit],
                    outputs [sum, difference, logic, shifted, wide, parts, reductions, order, signed_sum, product, extended, position]
                )
            })
        },
        case("lanes", || ports!(Lanes::new(3), clocks [clock], inputs [data, select], outputs [total, chosen, last])),
        case(
            "records",
            || ports!(Records::default(), clocks [clock], inputs [word, bus.valid, bus.data], outputs [red, middle, bus.ready, packed]),
        ),
        case("presets", || ports!(Presets::default(), clocks [clock], inputs [step], outputs [count, offset, flag])),
    ]
}

pub fn all() -> Vec<Case> {
    [machines(), fifos(), counters(), larger(), own_blocks()].into_iter().flatten().collect()
}
