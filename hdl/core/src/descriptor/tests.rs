// SPDX-License-Identifier: MIT OR Apache-2.0

use super::*;
use crate::config::Config;
use proptest::prelude::*;

fn matmul() -> Matmul {
    Matmul {
        format: Format::Q4_1,
        reuse_act: false,
        columns: 3,
        rows: 1536,
        blocks: 18,
        weights: 0x1000,
        activations: 0x40,
        results: 0x80,
        tag: 7,
    }
}

fn refuse(change: impl FnOnce(&mut Words)) -> Cause {
    let mut words = matmul().encode();
    change(&mut words);
    Decoder::new(&Config::base()).decode(&words).unwrap_err()
}

#[test]
fn words_are_as_documented() {
    assert_eq!(matmul().encode(), [0x0300_0201, 1536, 18, 0x1000, 0x40, 0x80, 7, 0]);
    assert_eq!(Descriptor::Fence { tag: 9 }.encode(), [2, 0, 0, 0, 0, 0, 9, 0]);
    assert_eq!(Descriptor::End { tag: 1 }.encode(), [3, 0, 0, 0, 0, 0, 1, 0]);
    assert_eq!(program_bytes(&[Descriptor::End { tag: 1 }])[..4], [3, 0, 0, 0]);
}

#[test]
fn fields_do_not_overlap() {
    for opcode in OPCODES {
        let claimed: u32 = opcode.fields.iter().map(|field| field.width).sum();
        let reserved: u32 = opcode.reserved().iter().map(|word| word.count_ones()).sum();
        assert_eq!(claimed + reserved, 256, "{}", opcode.name);
    }
}

#[test]
fn each_cause_is_found() {
    assert_eq!(refuse(|w| OPCODE.put(w, 0)), Cause::BadOpcode);
    assert_eq!(refuse(|w| OPCODE.put(w, 4)), Cause::BadOpcode);
    assert_eq!(refuse(|w| FORMAT.put(w, 4)), Cause::FormatAbsent);
    assert_eq!(refuse(|w| COLUMNS.put(w, 0)), Cause::BadColumns);
    assert_eq!(refuse(|w| COLUMNS.put(w, 5)), Cause::BadColumns);
    assert_eq!(refuse(|w| ROWS.put(w, 0)), Cause::BadRows);
    assert_eq!(refuse(|w| ROWS.put(w, 1 << 24)), Cause::BadRows);
    assert_eq!(refuse(|w| BLOCKS.put(w, 0)), Cause::BadBlocks);
    assert_eq!(refuse(|w| BLOCKS.put(w, 257)), Cause::BadBlocks);
    for address in [WEIGHTS, ACTIVATIONS, RESULTS] {
        assert_eq!(refuse(|w| address.put(w, 0x1020)), Cause::Misaligned);
    }
    for (word, bit) in [(0, 17), (0, 23), (6, 16), (6, 31), (7, 0), (7, 31)] {
        assert_eq!(refuse(|w| w[word] |= 1 << bit), Cause::ReservedNotZero, "{word} {bit}");
    }
    assert_eq!(refuse(|w| REUSE_ACT.put(w, 1)), Cause::ReuseWithoutActivations);
}

#[test]
fn fence_and_end_claim_only_opcode_and_tag() {
    for descriptor in [Descriptor::Fence { tag: 0xffff }, Descriptor::End { tag: 0 }] {
        for bit in 8..256 {
            let mut words = descriptor.encode();
            words[bit / 32] |= 1 << (bit % 32);
            let legal = Decoder::new(&Config::nano()).decode(&words).is_ok();
            assert_eq!(legal, (192..208).contains(&bit), "bit {bit}");
        }
    }
}

#[test]
fn formats_left_out_are_refused() {
    let words = matmul().encode();
    assert_eq!(Decoder::new(&Config::nano()).decode(&words), Err(Cause::FormatAbsent));
}

#[test]
fn with_more_than_32_lanes_rows_are_padded() {
    let decode = |blocks| Decoder::new(&Config::wide()).decode(&Matmul { blocks, ..matmul() }.encode());
    assert_eq!(decode(18), Err(Cause::BadBlocks));
    assert!(decode(20).is_ok());
}

#[test]
fn activations_are_reused_only_when_they_match() {
    let mut decoder = Decoder::new(&Config::base());
    let reuse = Matmul { reuse_act: true, ..matmul() };
    decoder.decode(&matmul().encode()).unwrap();
    decoder.decode(&Descriptor::Fence { tag: 0 }.encode()).unwrap();
    decoder.decode(&reuse.encode()).unwrap();
    decoder.decode(&Matmul { rows: 1, format: Format::Q8_0, ..reuse }.encode()).unwrap();
    for other in [Matmul { columns: 2, ..reuse }, Matmul { blocks: 17, ..reuse }] {
        assert_eq!(decoder.decode(&other.encode()), Err(Cause::ReuseWithoutActivations));
    }
}

#[test]
fn listings_stop_at_the_end_or_the_first_refusal() {
    let mut program = vec![
        Descriptor::Matmul(matmul()),
        Descriptor::Matmul(Matmul { reuse_act: true, ..matmul() }),
        Descriptor::Fence { tag: 2 },
        Descriptor::End { tag: 3 },
        Descriptor::End { tag: 4 },
    ];
    let listing = disassemble(&Config::base(), 0x2000, &program_bytes(&program));
    assert_eq!(
        listing,
        "0x00002000  MATMUL  q4_1 1536 x 18 blocks x 3, weights 0x00001000, activations 0x00000040, results 0x00000080, tag 7\n\
         0x00002020  MATMUL  q4_1 1536 x 18 blocks x 3, weights 0x00001000, activations kept, results 0x00000080, tag 7\n\
         0x00002040  FENCE   tag 2\n\
         0x00002060  END     tag 3\n"
    );
    program[1] = Descriptor::Matmul(Matmul { columns: 0, ..matmul() });
    let listing = disassemble(&Config::base(), 0, &program_bytes(&program));
    assert!(listing.ends_with("0x00000020  refused: bad_columns (3): Zero columns, or more than are built in.\n"));
}

#[test]
fn cause_codes_are_their_positions() {
    for (code, cause) in Cause::ALL.into_iter().enumerate() {
        assert_eq!((cause.code(), Cause::from_code(code as u32)), (code as u32, Some(cause)));
    }
    assert_eq!(Cause::from_code(12), None);
}

proptest! {
    #[test]
    fn whatever_decodes_encodes_to_the_same_words(
        mut words in prop::array::uniform8(any::<u32>()),
        legal in any::<[bool; 8]>(),
    ) {
        for ((word, legal), good) in words.iter_mut().zip(legal).zip(matmul().encode()) {
            if legal {
                *word = good;
            }
        }
        if let Ok(descriptor) = Decoder::new(&Config::base()).decode(&words) {
            prop_assert_eq!(descriptor.encode(), words);
        }
    }
}

/// A LAYER in base, or in a build with a table of so many entries.
fn decode_layer(entries: u32, layer: Layer) -> Result<Descriptor, Cause> {
    let mut config = Config::base();
    config.power.dvfs_entries = entries;
    Decoder::new(&config).decode(&layer.encode())
}

#[test]
fn a_layer_is_known_only_where_there_is_a_dvfs_unit() {
    let layer = Layer { phase: Phase::Decode, class: 1, first: true, last: false, progress: 0x55, tag: 3 };
    assert_eq!(layer.encode(), [0x5500_1304, 0, 0, 0, 0, 0, 3, 0]);
    assert_eq!(decode_layer(16, layer), Ok(Descriptor::Layer(layer)));
    assert_eq!(decode_layer(0, layer), Err(Cause::BadOpcode));
    assert_eq!(layer.to_string(), "LAYER   decode, class 1, 85/256 done, first, tag 3");
}

#[test]
fn a_layer_has_no_class_past_the_table() {
    for (entries, classes) in [(16, 2), (32, 4), (64, 8)] {
        for class in 0..8 {
            let layer = Layer { class, ..Layer::default() };
            let expected = if class < classes { Ok(Descriptor::Layer(layer)) } else { Err(Cause::ReservedNotZero) };
            assert_eq!(decode_layer(entries, layer), expected, "{entries} entries, class {class}");
        }
    }
}
