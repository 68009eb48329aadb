// SPDX-License-Identifier: MIT OR Apache-2.0

use super::*;
use crate::config::Format;
use crate::descriptor::program_bytes;
use crate::format::layout::relayout;
use crate::format::region::read_results;
use crate::numerics::F24;
use crate::numerics::grid::{Accumulator, place};
use proptest::prelude::*;

/// A random product: ggml bytes and the vectors it is multiplied with.
#[derive(Clone, Debug)]
struct Case {
    format: Format,
    rows: usize,
    blocks: usize,
    ggml: Vec<u8>,
    columns: Vec<Activations>,
}

/// Any finite fp16 in scales (also subnormal and largest), any integers, scales of activations over a wide range.
fn case() -> impl Strategy<Value = Case> {
    (0usize..4, 1usize..7, 1usize..9, 1usize..5).prop_flat_map(|(f, rows, blocks, count)| {
        let format = Format::ALL[f];
        let bytes = proptest::collection::vec(any::<u8>(), rows * blocks * format.block_bytes());
        let d = proptest::collection::vec((0u32..0x8000, prop_oneof![Just(0u32), 90u32..125]), blocks * count);
        let q = proptest::collection::vec(-127i8..=127, blocks * count * 32);
        (bytes, d, q).prop_map(move |(mut ggml, d, q)| {
            for block in ggml.chunks_exact_mut(format.block_bytes()) {
                for high in [1, 3] {
                    block[high] &= if block[high] & 0x7c == 0x7c { 0xfb } else { 0xff };
                }
            }
            let d: Vec<F24> = d.iter().map(|(f, e)| F24::from_bits(e << 23 | f << 8)).collect();
            let columns = d.chunks(blocks).zip(q.chunks(32 * blocks)).map(|(d, q)| Activations { d: d.into(), q: q.into() });
            Case { format, rows, blocks, ggml, columns: columns.collect() }
        })
    })
}

/// ggml's integer sums for one block: `ggml_vec_dot_*` in their order of elements, written out anew.
/// Gives `(sum(qw * qx), sum(qx))`.
fn ggml_sums(format: Format, block: &[u8], y: &[i8]) -> (i32, i32) {
    let sum = y.iter().map(|y| i32::from(*y)).sum();
    let mut total = 0;
    match format {
        Format::Q8_0 => {
            for j in 0..32 {
                total += i32::from(block[2 + j] as i8) * i32::from(y[j]);
            }
        }
        Format::Q4_0 | Format::Q4_1 => {
            let (qs, offset) = if format == Format::Q4_0 { (&block[2..], 8) } else { (&block[4..], 0) };
            for j in 0..16 {
                let (v0, v1) = (i32::from(qs[j] & 0x0f) - offset, i32::from(qs[j] >> 4) - offset);
                total += v0 * i32::from(y[j]) + v1 * i32::from(y[j + 16]);
            }
        }
        Format::Q5_0 => {
            let qh = u32::from_le_bytes(block[2..6].try_into().unwrap());
            for j in 0..16 {
                let high = |bit: usize| ((qh >> bit & 1) << 4) as i32;
                let x0 = (i32::from(block[6 + j] & 0x0f) | high(j)) - 16;
                let x1 = (i32::from(block[6 + j] >> 4) | high(j + 16)) - 16;
                total += x0 * i32::from(y[j]) + x1 * i32::from(y[j + 16]);
            }
        }
    }
    (total, sum)
}

impl Case {
    fn ggml_block(&self, row: usize, k: usize) -> &[u8] {
        let bytes = self.format.block_bytes();
        &self.ggml[(row * self.blocks + k) * bytes..][..bytes]
    }

    /// The contract's words on ggml's integer sums, blocks in the given order.
    fn by_the_words(&self, order: &[usize]) -> Product {
        let mut product = Product { y: vec![], saturated: false };
        for row in 0..self.rows {
            for x in &self.columns {
                let mut sum = Accumulator::default();
                for &k in order {
                    let bytes = self.ggml_block(row, k);
                    let (s, sx) = ggml_sums(self.format, bytes, &x.q[32 * k..32 * k + 32]);
                    sum.add(place(u16::from_le_bytes([bytes[0], bytes[1]]), x.d[k], s));
                    if self.format == Format::Q4_1 {
                        let minimum = u16::from_le_bytes([bytes[2], bytes[3]]);
                        sum.sub(place(minimum ^ 0x8000, x.d[k], sx));
                    }
                }
                product.y.push(sum.to_f24());
                product.saturated |= sum.saturated;
            }
        }
        product
    }

    fn product(&self, lanes: usize, port_bits: usize, columns: &[Activations]) -> Product {
        let image = relayout(self.format, &self.ggml, self.rows, self.blocks, lanes, port_bits).unwrap();
        matmul(&Layout::new(self.format, self.rows, self.blocks, lanes, port_bits).unwrap(), &image, columns)
    }
}

proptest! {
    #[test]
    fn integer_sums_are_those_of_ggml(case in case()) {
        for x in &case.columns {
            for k in 0..case.blocks {
                let decoded = case.format.decode_ggml(case.ggml_block(0, k));
                let x = &x.q[32 * k..32 * k + 32];
                let s = decoded.q.iter().zip(x).map(|(w, x)| i32::from(*w) * i32::from(*x)).sum();
                prop_assert_eq!((s, x.iter().map(|x| i32::from(*x)).sum()), ggml_sums(case.format, case.ggml_block(0, k), x));
            }
        }
    }

    #[test]
    fn same_bits_for_any_lanes_port_and_columns(case in case(), lanes in 2u32..8, port in 5u32..9) {
        let want = case.by_the_words(&(0..case.blocks).collect::<Vec<_>>());
        prop_assert_eq!(&case.product(1 << lanes, 1 << port, &case.columns), &want);
        let count = case.columns.len();
        for (c, x) in case.columns.iter().enumerate() {
            let alone = case.product(1 << lanes, 1 << port, std::slice::from_ref(x));
            let column: Vec<F24> = want.y.iter().skip(c).step_by(count).copied().collect();
            prop_assert_eq!(&alone.y, &column);
        }
    }

    #[test]
    fn same_bits_for_any_order_of_blocks(case in case(), by in 0usize..8) {
        let forward: Vec<usize> = (0..case.blocks).collect();
        let mut other = forward.clone();
        other.rotate_left(by % case.blocks);
        other.reverse();
        prop_assert_eq!(case.by_the_words(&forward).y, case.by_the_words(&other).y);
    }

    #[test]
    fn a_row_is_near_the_sum_of_the_dequantised(case in case()) {
        let product = case.by_the_words(&(0..case.blocks).collect::<Vec<_>>());
        prop_assume!(!product.saturated);
        for (i, y) in product.y.iter().enumerate() {
            let (row, x) = (i / case.columns.len(), &case.columns[i % case.columns.len()]);
            let (mut exact, mut size) = (0.0, 0.0);
            for k in 0..case.blocks {
                let block = case.format.decode_ggml(case.ggml_block(row, k));
                let value = |bits| half::f16::from_bits(bits).to_f64();
                for (w, q) in block.q.iter().zip(&x.q[32 * k..]) {
                    let term = (value(block.d) * f64::from(*w) - value(block.dmin)) * x.d[k].to_f64() * f64::from(*q);
                    (exact, size) = (exact + term, size + f64::abs(term));
                }
            }
            let grid = 2.0 * case.blocks as f64 * 2f64.powi(-37);
            prop_assert!((y.to_f64() - exact).abs() <= exact.abs() * 2f64.powi(-16) + size * 1e-12 + grid * 1.001);
        }
    }
}

#[test]
fn many_rows_go_to_threads_with_the_same_bits() {
    let (rows, blocks) = (3000, 7);
    let ggml: Vec<u8> = (0..rows * blocks * 18).map(|i| if i % 18 == 1 { 0x20 } else { ((i * 131) >> 3) as u8 }).collect();
    let x: Vec<F24> = (0..blocks * 32).map(|i| F24::from_f64((i % 17) as f64 - 8.0)).collect();
    let case = Case { format: Format::Q4_0, rows, blocks, ggml, columns: vec![Activations::quantise(&x)] };
    assert_eq!(case.product(16, 64, &case.columns), case.by_the_words(&[3, 1, 2, 0, 6, 5, 4]));
}

#[test]
fn extremes_agree_with_the_words() {
    for (d, dx) in [(0x7bff, F24::MAX), (0xfbff, F24::from_f32(100.0)), (1, F24::MIN_POSITIVE), (0, F24::MAX), (0x3c00, F24::ONE)] {
        for format in Format::ALL {
            let mut block = vec![0x80; format.block_bytes()];
            block[..2].copy_from_slice(&u16::to_le_bytes(d));
            let columns = vec![Activations { d: vec![dx; 3], q: vec![-127; 96] }];
            let case = Case { format, rows: 1, blocks: 3, ggml: block.repeat(3), columns };
            assert_eq!(case.product(8, 32, &case.columns), case.by_the_words(&[0, 1, 2]), "{format:?} {d:#x} {dx:?}");
        }
    }
}

#[test]
fn a_minimum_at_the_limit_raises_the_flag_as_in_the_words() {
    // 2^52 on the grid is 2^16: dmin * dx * 32 * 64 with dx = 2, and its negative.
    for minimum in [16.0, -16.0] {
        let mut block = vec![0; 20];
        block[2..4].copy_from_slice(&half::f16::from_f32(minimum).to_bits().to_le_bytes());
        let columns = vec![Activations { d: vec![F24::from_f32(2.0)], q: vec![64; 32] }];
        let case = Case { format: Format::Q4_1, rows: 1, blocks: 1, ggml: block, columns };
        let want = case.by_the_words(&[0]);
        assert_eq!(want.saturated, minimum < 0.0, "dmin is the inverted minimum");
        assert_eq!(case.product(8, 32, &case.columns), want);
    }
}

/// A device with one Q8_0 matrix of 3 x 64 at 0x1000, activations of two columns at 0x2000, the program at 0.
fn device(program: &[Descriptor]) -> Device {
    let config = Config::base();
    let (lanes, port) = (config.array.lanes as usize, config.memory.port_bits as usize);
    let mut ggml = vec![2; 3 * 2 * 34];
    ggml.chunks_exact_mut(34).for_each(|block| block[..2].copy_from_slice(&[0, 0x3c]));
    let image = relayout(Format::Q8_0, &ggml, 3, 2, lanes, port).unwrap();
    let column = |x: f32| Activations::quantise(&[F24::from_f32(x); 64]);
    let columns = [column(127.0), column(-254.0)];
    let region = ActivationLayout::new(2, lanes, port).unwrap().write(&columns).unwrap();
    let mut memory = vec![0; 0x4000];
    for (at, bytes) in [(0, program_bytes(program)), (0x1000, image), (0x2000, region)] {
        memory[at..at + bytes.len()].copy_from_slice(&bytes);
    }
    Device::new(&config, memory)
}

fn product() -> Matmul {
    Matmul {
        format: Format::Q8_0,
        reuse_act: false,
        columns: 2,
        rows: 3,
        blocks: 2,
        weights: 0x1000,
        activations: 0x2000,
        results: 0x3000,
        tag: 0,
    }
}

const END: Descriptor = Descriptor::End { tag: 0 };

#[test]
fn a_program_runs_to_its_end() {
    let again = Matmul { reuse_act: true, activations: 0, results: 0x3040, ..product() };
    let mut device = device(&[Descriptor::Matmul(product()), Descriptor::Fence { tag: 1 }, Descriptor::Matmul(again), END]);
    let counts = device.run(0).unwrap();
    let want = [2.0 * 127.0 * 64.0, -2.0 * 254.0 * 64.0].map(F24::from_f32).repeat(3);
    for at in [0x3000, 0x3040] {
        assert_eq!(read_results(&device.memory()[at..at + 24]), want);
    }
    assert!(!device.saturated());
    assert_eq!((counts.descriptors, counts.rows, counts.blocks), (4, 12, 24));
    let group_blocks = device.config().group_blocks() as u64;
    assert_eq!(counts.weight_beats, 2 * 17 * 6u64.div_ceil(group_blocks));
    let (scales, integers) = device.config().activation_beats(2);
    assert_eq!(counts.activation_beats, 2 * u64::from(scales + integers));
}

#[test]
fn errors_have_cause_and_address() {
    let stop = |m: Matmul| device(&[Descriptor::Fence { tag: 0 }, Descriptor::Matmul(m), END]).run(0).unwrap_err();
    let at = |cause| Stop { cause, address: 32 };
    assert_eq!(stop(Matmul { rows: 0, ..product() }), at(Cause::BadRows));
    assert_eq!(stop(Matmul { columns: 0, ..product() }), at(Cause::BadColumns));
    assert_eq!(stop(Matmul { weights: 0x1004, ..product() }), at(Cause::Misaligned));
    assert_eq!(stop(Matmul { reuse_act: true, ..product() }), at(Cause::ReuseWithoutActivations));
    assert_eq!(stop(Matmul { weights: 0x3fc0, ..product() }), at(Cause::ReadError));
    assert_eq!(stop(Matmul { activations: 0xffff_ffc0, ..product() }), at(Cause::ReadError));
    assert_eq!(stop(Matmul { results: 0x4000, ..product() }), at(Cause::WriteError));
    let past = device(&[]).run(0x4000).unwrap_err();
    assert_eq!(past, Stop { cause: Cause::ReadError, address: 0x4000 });
    assert!(past.to_string().contains("0x00004000"), "{past}");
    assert_eq!(device(&[]).run(0).unwrap_err(), Stop { cause: Cause::BadOpcode, address: 0 });
}

#[test]
fn saturation_is_sticky_until_cleared() {
    let mut device = device(&[Descriptor::Matmul(product()), END]);
    device.memory_mut()[0x2000..0x2004].copy_from_slice(&F24::MAX.to_bits().to_le_bytes());
    device.run(0).unwrap();
    assert!(device.saturated());
    device.memory_mut()[0x2000..0x2004].fill(0);
    device.run(0).unwrap();
    assert!(device.saturated());
    device.clear();
    device.run(0).unwrap();
    assert!(!device.saturated());
}
