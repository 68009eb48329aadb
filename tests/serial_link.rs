// SPDX-License-Identifier: MIT OR Apache-2.0
//! The host's end of the link against the bridge in plain Rust, on simulated wires: good, bad, cut and dead ones.

use std::collections::VecDeque;
use std::time::Duration;

use heddle::driver::golden::Golden;
use heddle::driver::serial::board::{Accelerator, Wire};
use heddle::driver::serial::faults::{FaultRates, Faulty};
use heddle::driver::serial::soak::soak;
use heddle::driver::serial::{Link, LinkError, Port, SerialTransport, SerialUrl, Uploaded};
use heddle::driver::{Driver, Transport, TransportError};
use heddle_core::config::Config;
use heddle_core::link::bone::golden::Bone;
use heddle_core::link::golden::{Bridge, Bus, Bytes};
use heddle_core::link::wire::{self, Op};
use heddle_core::registers::map;
use heddle_tb::blocks::LinkDevice;
use heddle_tb::random::Random;
use proptest::prelude::*;

const BAUD: u32 = 1_000_000;

type Board = Wire<Accelerator<Golden>>;

fn board(config: &Config) -> Board {
    Wire::new(Accelerator::new(Golden::new(config), config.memory_bytes()), BAUD)
}

fn transport(config: &Config) -> SerialTransport<Board> {
    SerialTransport::new(Link::open(board(config), BAUD).unwrap())
}

/// A board whose link has no frames.
fn plain_board(config: &Config) -> Wire<Accelerator<Golden>, Bone> {
    let memory_bytes = 1 << 17;
    Wire::with(Bone::new(memory_bytes), Accelerator::new(Golden::new(config), memory_bytes), BAUD)
}

fn bytes(seed: u64, count: usize) -> Vec<u8> {
    let mut rng = Random::new(seed);
    (0..count).map(|_| rng.bits() as u8).collect()
}

fn registers_and_memory(t: &mut impl Transport) {
    assert_eq!(t.read_reg(map::ID.offset).unwrap(), map::ID_VALUE);
    t.write_reg(map::SCRATCH.offset, 0x7e7d_0102).unwrap();
    assert_eq!(t.read_reg(map::SCRATCH.offset).unwrap(), 0x7e7d_0102);
    for (address, count) in [(0, 4), (1, 1), (3, 2), (4094, 5), (100, 1024), (8193, 5000), (0, 40_000)] {
        let data = bytes(u64::from(address), count);
        t.write_mem(address, &data).unwrap();
        let mut back = vec![0; count];
        t.read_mem(address, &mut back).unwrap();
        assert_eq!(back, data, "{count} bytes at {address}");
    }
}

#[test]
fn registers_and_memory_of_any_alignment() {
    let mut t = transport(&Config::small());
    registers_and_memory(&mut t);
}

#[test]
fn what_is_not_there_is_an_error_and_the_session_goes_on() {
    let config = Config::small();
    let mut t = transport(&config);
    let error = t.read_reg(0xffc).unwrap_err();
    assert!(matches!(error, TransportError::Register { offset: 0xffc }), "{error}");
    let end = config.memory_bytes() as u32;
    let text = t.write_mem(end - 4, &[0; 64]).unwrap_err().to_string();
    assert!(text.contains("error of its bus") && text.contains("simulated"), "{text}");
    assert!(t.read_mem(u32::MAX - 8, &mut [0; 8]).is_err());
    assert_eq!(t.read_reg(map::ID.offset).unwrap(), map::ID_VALUE);
}

#[test]
fn an_unchanged_image_is_not_sent_again_and_a_cut_upload_goes_on() {
    let mut t = transport(&Config::small());
    let image = bytes(7, 200_000);
    t.write_mem(0, &image).unwrap();
    assert_eq!(t.uploaded(), Uploaded { written: 200_000, skipped: 0 });
    t.write_mem(0, &image).unwrap();
    assert_eq!(t.uploaded(), Uploaded { written: 200_000, skipped: 200_000 });
    // The second image is cut after 100,000 bytes; another session finishes it.
    let second = bytes(8, 200_000);
    t.link().write(wire::MEMORY, &second[..100_000]).unwrap();
    t.link().again().unwrap();
    t.write_mem(0, &second).unwrap();
    let uploaded = t.uploaded();
    assert!(uploaded.skipped - 200_000 >= 90_000, "{uploaded:?}");
    let mut back = vec![0; second.len()];
    t.read_mem(0, &mut back).unwrap();
    assert!(back == second);
}

#[test]
fn a_board_without_frames_is_found_and_spoken_to_by_uartbone() {
    let mut t = SerialTransport::new(Link::open(plain_board(&Config::nano()), BAUD).unwrap());
    assert!(!t.link().has_frames());
    registers_and_memory(&mut t);
    // What is there already is not sent again.
    let before = t.uploaded();
    t.write_mem(0, &bytes(0, 40_000)).unwrap();
    assert_eq!(t.uploaded().written, before.written);
    let text = t.write_mem(1 << 17, &[1, 2, 3, 4]).unwrap_err().to_string();
    assert!(text.contains("0x40020000") && text.contains("outside of the board's memory"), "{text}");
    assert_eq!(t.link().counts().timeouts, 0);
}

#[test]
fn hardware_of_another_configuration_is_refused_with_both_digests() {
    let (hardware, wanted) = (Config::small(), Config::base());
    let text = Driver::connect(Box::new(transport(&hardware)), &wanted).err().unwrap().to_string();
    assert!(text.contains(&hardware.digest_hex()) && text.contains(&wanted.digest_hex()), "{text}");
}

#[test]
fn silence_is_an_error_that_names_the_port() {
    let mut dead = board(&Config::small());
    dead.dead = true;
    let text = Link::open(dead, BAUD).err().unwrap().to_string();
    assert!(text.contains("no answer on serial port simulated@1000000"), "{text}");
    // And one that falls silent later is given up, too.
    let mut t = transport(&Config::small());
    t.link().port().dead = true;
    let text = t.read_reg(0).unwrap_err().to_string();
    assert!(text.contains("simulated@1000000 answers no more"), "{text}");
}

#[test]
fn a_board_that_was_reset_is_told() {
    let mut t = transport(&Config::small());
    t.link().port().bridge = Bridge::default();
    let text = t.read_reg(0).unwrap_err().to_string();
    assert!(text.contains("the board was reset"), "{text}");
}

#[test]
fn after_the_session_uartbone_is_understood() {
    let mut link = Link::open(board(&Config::small()), BAUD).unwrap();
    let read_id = [2, 1, 0x3c, 0, 0, 0];
    let mut answer = [0; 16];
    let port = link.port();
    port.write(&read_id).unwrap();
    let until = port.now() + Duration::from_secs(1);
    assert_eq!(port.read(&mut answer, until).unwrap(), 0);
    link.bye();
    let port = link.port();
    port.write(&read_id).unwrap();
    let (until, mut got) = (port.now() + Duration::from_secs(1), Vec::<u8>::new());
    while got.len() < 4 {
        let count = port.read(&mut answer, until).unwrap();
        assert!(count > 0);
        got.extend(&answer[..count]);
    }
    assert_eq!(got, map::ID_VALUE.to_be_bytes());
}

/// A bus that may not be written.
struct Untouched;

impl Bus for Untouched {
    fn read(&mut self, _: u32) -> Option<u32> {
        Some(0)
    }

    fn write(&mut self, address: u32, value: u32) -> bool {
        panic!("{value:#x} was written to {address:#x}");
    }
}

#[test]
fn no_damage_to_greetings_makes_a_command_of_uartbone_that_writes() {
    let hello = wire::request(Op::Hello, wire::FIRST, wire::GREETING, &[]);
    // Neither a command, nor a short count, nor the first byte of the address of a register or of memory.
    assert!(hello.iter().all(|byte| *byte >= 0x40), "{hello:02x?}");
    let twenty = hello.repeat(20);
    for at in 0..hello.len() {
        for value in 0..=255 {
            let mut damaged = twenty.clone();
            damaged[at] = value;
            let (mut bridge, mut out) = (Bridge::default(), Vec::new());
            damaged.iter().for_each(|byte| bridge.byte(*byte, &mut Untouched, &mut out));
        }
    }
}

fn rates() -> impl Strategy<Value = FaultRates> {
    let rate = || prop_oneof![Just(0u32), 1u32..200, 200u32..20_000];
    (rate(), rate(), rate(), rate()).prop_map(|(drop, double, flip, delay)| FaultRates { drop, double, flip, delay })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn over_a_bad_wire_a_transfer_is_right_or_a_clear_error(seed: u64, rates in rates(), sizes in transfers()) {
        right_or_an_error(board(&Config::nano()), seed, rates, &sizes)?;
    }

    #[test]
    fn the_same_without_frames(seed: u64, rates in rates(), sizes in transfers()) {
        right_or_an_error(plain_board(&Config::nano()), seed, rates, &sizes)?;
    }
}

/// Addresses and lengths.
fn transfers() -> impl Strategy<Value = Vec<(u32, usize)>> {
    prop::collection::vec((0u32..60_000, 1usize..6000), 1..12)
}

#[test]
fn without_frames_transfers_are_accepted_and_damage_is_found() {
    let rates = FaultRates { drop: 100, double: 100, flip: 100, delay: 0 };
    let ends: Vec<(usize, Option<End>)> =
        (1..=30).map(|seed| right_or_an_error(plain_board(&Config::nano()), seed, rates, &[(64, 300); 4]).unwrap()).collect();
    let accepted: usize = ends.iter().map(|(accepted, _)| accepted).sum();
    let damaged = ends.iter().filter(|(_, end)| *end == Some(End::Damaged)).count();
    assert!(accepted > 20 && damaged > 5, "{accepted} transfers accepted, {damaged} runs ended by damage: {ends:?}");
}

/// What a run of transfers ended with.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Silent,
    Lost,
    Damaged,
}

/// Writes and reads until the first error; what was accepted is what the board's memory holds, all of it. How many were
/// accepted, and the error.
fn right_or_an_error<G: Bytes + Send>(
    board: Wire<Accelerator<Golden>, G>,
    seed: u64,
    rates: FaultRates,
    sizes: &[(u32, usize)],
) -> Result<(usize, Option<End>), TestCaseError> {
    let mut expected = vec![0; 1 << 17];
    let link = match Link::open(Faulty::new(board, seed, rates), BAUD) {
        Ok(link) => link,
        Err(error) => {
            prop_assert!(matches!(error, LinkError::Silent { .. }), "{}", error);
            return Ok((0, Some(End::Silent)));
        }
    };
    let mut t = SerialTransport::new(link);
    let (mut accepted, mut end) = (0, None);
    for (i, &(at, count)) in sizes.iter().enumerate() {
        let range = at as usize..at as usize + count;
        let data = bytes(seed ^ i as u64, count);
        expected[range.clone()].copy_from_slice(&data);
        let mut back = vec![0; count];
        let done = t.write_mem(at, &data).and_then(|()| t.read_mem(at, &mut back));
        end = match done {
            Ok(()) => {
                accepted += 1;
                prop_assert!(back == expected[range]);
                let mut held = vec![0; expected.len()];
                t.link().port().inner().bus.transport().read_mem(0, &mut held).unwrap();
                prop_assert!(held == expected);
                None
            }
            Err(TransportError::Link(LinkError::Lost { .. })) => Some(End::Lost),
            Err(TransportError::Link(LinkError::Silent { .. })) => Some(End::Silent),
            Err(TransportError::Link(LinkError::Damaged { .. })) => Some(End::Damaged),
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        };
        if end.is_some() {
            break;
        }
    }
    // The board needs no reset, and what is written anew is right.
    t.link().port().rates = FaultRates::default();
    t.link().again().unwrap();
    prop_assert_eq!(t.read_reg(map::ID.offset).unwrap(), map::ID_VALUE);
    t.write_mem(0, &expected).unwrap();
    let mut held = vec![0; expected.len()];
    t.link().port().inner().bus.transport().read_mem(0, &mut held).unwrap();
    prop_assert!(held == expected);
    Ok((accepted, end))
}

/// The bridge's RTL in native simulation as a port: bytes are carried out at once, waiting costs nothing.
struct Rtl {
    device: LinkDevice,
    now: Duration,
    last: Duration,
    replies: VecDeque<u8>,
}

impl Rtl {
    fn new() -> Rtl {
        let device = LinkDevice::new(64, 1 << 17).unwrap();
        Rtl { device, now: Duration::ZERO, last: Duration::ZERO, replies: VecDeque::new() }
    }
}

impl Port for Rtl {
    fn name(&self) -> &str {
        "rtl"
    }

    fn now(&self) -> Duration {
        self.now
    }

    fn read(&mut self, to: &mut [u8], until: Duration) -> std::io::Result<usize> {
        let count = self.replies.len().min(to.len());
        if count == 0 {
            self.now = self.now.max(until);
        }
        self.replies.drain(..count).zip(to).for_each(|(byte, to)| *to = byte);
        Ok(count)
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        if self.now > self.last + Duration::from_millis(100) {
            self.device.silence().map_err(std::io::Error::other)?;
        }
        self.last = self.now;
        let mut out = Vec::new();
        self.device.send(bytes, &mut out).map_err(std::io::Error::other)?;
        self.replies.extend(out);
        Ok(())
    }
}

#[test]
fn the_rtl_of_the_bridge_over_a_bad_wire_holds_what_was_accepted() {
    let (mut faults, mut lost) = (0, 0);
    for seed in 1..=5 {
        let rate = 1 << (3 + seed);
        let rates = FaultRates { drop: rate, double: rate, flip: rate, delay: rate };
        let Ok(mut link) = Link::open(Faulty::new(Rtl::new(), seed, rates), BAUD) else {
            lost += 1;
            continue;
        };
        let mut rng = Random::new(seed);
        for i in 0..12 {
            let (at, count) = (4 * (rng.bits() as u32 % 30_000), 4 * (1 + rng.bits() as usize % 600));
            let (data, mut back) = (bytes(seed << 8 | i, count), vec![0; count]);
            if link.write(wire::MEMORY + at, &data).and_then(|()| link.read(wire::MEMORY + at, &mut back)).is_err() {
                lost += 1;
                break;
            }
            let held = &link.port().inner().device.memory()[at as usize..][..count];
            assert!(back == data && held == data, "seed {seed}, transfer {i}");
        }
        link.port().rates = FaultRates::default();
        link.again().unwrap();
        faults += link.port().counts().faults();
    }
    assert!(faults > 20 && lost < 3, "{faults} faults, {lost} connections lost");
}

#[test]
fn a_short_soak_accepts_no_wrong_byte() {
    let report = soak(Duration::from_secs(3), 99, &mut |_| {});
    assert!(report.faults.faults() > 1000 && report.accepted > 100_000 && report.link.repeated > 100, "{report:?}");
    assert_eq!((report.wrong, report.unrecovered), (0, 0), "{report:?}");
}

#[test]
fn ports_and_speeds_are_read() {
    let url = |text: &str| text.parse::<SerialUrl>();
    assert_eq!(url("/dev/ttyUSB0@3000000"), Ok(SerialUrl { path: "/dev/ttyUSB0".into(), baud: 3_000_000 }));
    assert_eq!(url("COM3").map(|u| u.baud), Ok(115_200));
    assert!(url("/dev/x@fast").unwrap_err().contains("`fast`"));
    assert!(url("/dev/x@1").is_err() && url("@115200").is_err());
}
