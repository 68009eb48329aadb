// SPDX-License-Identifier: MIT OR Apache-2.0
//! Written beats to words on the data bus.
//!
//! Ports      `valid_i`, `data_i`, `strobe_i`, `ready_o`: beats of the port; `beat_valid_o`: one can be taken; `take_i`: its
//!            write command goes out; `refused_i`: none of its bytes is written; `word_o`, `mask_o`, `drive_o`: pins
//! Latency    the first word is at the pins in the cycle after `take_i`, with the command
//! Throughput one word per cycle      Rounding  none      Reset  drops the beats, masks all bytes until `started_i`

use super::{
    beats,
    config::{SdramConfig, WORD_BITS},
};
use heddle_lang::{BuildError, Builder, Expr, Module, Ty};
use std::sync::Arc;

/// Beats that wait for their command.
pub const BEATS: u32 = 32;
/// Bits of the mask of a word: a byte each.
const MASK_BITS: u32 = WORD_BITS / 8;

/// The unit.
pub fn write_path(config: &SdramConfig) -> Result<Arc<Module>, BuildError> {
    let (port, burst) = (config.port_bits, config.burst());
    let mut m = Builder::clocked("sdram_write_path", file!());
    m.doc("Written beats to words on the data bus, the lowest first.");
    let valid = m.input("valid", Ty::BIT);
    let data = m.input("data", Ty::Unsigned(port));
    let strobe = m.input("strobe", Ty::Unsigned(port / 8));
    let take = m.input("take", Ty::BIT);
    let refused = m.input("refused", Ty::BIT);
    let started = m.input("started", Ty::BIT);
    let beats = beats(&mut m, BEATS, valid, Expr::concat([strobe, data]), &take, "The front counts the beats.")?;
    m.output("ready", &beats.ready);
    m.output("beat_valid", &beats.valid);
    let beat = beats.data;

    m.comment("Words still to go, the one at the pins lowest");
    let words = m.reg_no_reset("words", Ty::Unsigned(port));
    m.on(&words, &take, beat.slice(0, port));
    m.next(&words, words.q().shift_right(WORD_BITS).extend(port));
    m.comment("Bytes that are not written");
    let one_word = Expr::constant(Ty::Unsigned(port / 8), (1 << MASK_BITS) - 1);
    let mask = m.reg_no_reset("mask", Ty::Unsigned(port / 8));
    m.on(&mask, !started, one_word);
    m.on(&mask, &take, refused.repeat(port / 8) | !beat.slice(port, port / 8));
    m.next(&mask, mask.q().shift_right(MASK_BITS).extend(port / 8));
    m.comment("The bus is ours while there are words");
    let drive = m.reg("drive", Ty::Unsigned(burst), 0);
    m.on(&drive, &take, Expr::bit_const(true).repeat(burst));
    m.next(&drive, drive.q().shift_right(1).extend(burst));
    m.output("word", words.q().slice(0, WORD_BITS));
    m.output("mask", mask.q().slice(0, MASK_BITS));
    m.output("drive", drive.q().bit(0));
    m.build()
}
