// SPDX-License-Identifier: MIT OR Apache-2.0
//! The memory and register-master models against a master and a slave in Rust.

use heddle_tb::axi::{
    Backpressure, Burst, FromMaster, LiteFromSlave, LiteMaster, LiteSkew, Memory, MemoryConfig, Rate, Refresh, WriteBeat,
};
use proptest::prelude::*;

fn burst(addr: u64, beats: u32, size: u8) -> Burst {
    Burst { addr, len: (beats - 1) as u8, size, burst: 1 }
}

/// Reads `bursts` back to back; returns the data and the cycle of each beat.
fn read(memory: &mut Memory, bursts: &[Burst]) -> (Vec<u8>, Vec<u64>) {
    let (mut data, mut cycles) = (Vec::new(), Vec::new());
    let mut next = 0;
    let beats: u32 = bursts.iter().map(|b| u32::from(b.len) + 1).sum();
    for cycle in 0..100_000 {
        let out = *memory.out();
        let from = FromMaster { ar: bursts.get(next).copied(), rready: true, ..FromMaster::default() };
        if out.rvalid {
            data.extend_from_slice(memory.rdata());
            cycles.push(cycle);
        }
        memory.step(&from).unwrap();
        next += usize::from(out.arready && from.ar.is_some());
        if cycles.len() as u32 == beats {
            return (data, cycles);
        }
    }
    panic!("{} of {beats} beats", cycles.len());
}

/// Writes one burst with random gaps of its own; returns the response.
fn write(memory: &mut Memory, address: Burst, data: &[u8], strb: u64) -> u8 {
    let beat_bytes = memory.config().beat_bytes;
    let mut aw = Some(address);
    let mut beats = data.chunks(beat_bytes).peekable();
    for _ in 0..100_000 {
        let out = *memory.out();
        if out.bvalid {
            memory.step(&FromMaster { bready: true, ..FromMaster::default() }).unwrap();
            return out.bresp;
        }
        let mut rest = beats.clone();
        let w = rest.next().map(|data| WriteBeat { data, strb, last: rest.peek().is_none() });
        memory.step(&FromMaster { aw, w, ..FromMaster::default() }).unwrap();
        if out.awready {
            aw = None;
        }
        if out.wready && w.is_some() {
            beats = rest;
        }
    }
    panic!("no response");
}

fn memory(change: impl FnOnce(&mut MemoryConfig)) -> Memory {
    let mut config = MemoryConfig::new(1 << 16, 16);
    change(&mut config);
    let mut memory = Memory::new(config).unwrap();
    memory.bytes_mut().iter_mut().enumerate().for_each(|(i, b)| *b = (i ^ (i >> 8)) as u8);
    memory
}

#[test]
fn latency_and_peak_rate_are_exact() {
    let bursts: Vec<Burst> = (0..16).map(|i| burst(256 * i, 16, 4)).collect();
    let mut memory = memory(|c| c.read_latency = 40);
    let (data, cycles) = read(&mut memory, &bursts);
    assert!(data == memory.bytes()[..4096]);
    // The address is taken in cycle 1: the memory is ready from the cycle after its reset on.
    assert_eq!(cycles[0], 41);
    assert_eq!(cycles[255], 41 + 255);
}

#[test]
fn bandwidth_and_refresh_average_exactly() {
    let bursts: Vec<Burst> = (0..16).map(|i| burst(256 * i, 16, 4)).collect();
    let (_, cycles) = read(&mut memory(|c| c.rate = Rate { beats: 3, cycles: 4 }), &bursts);
    assert!((340..=343).contains(&(cycles[255] - cycles[0])), "{}", cycles[255] - cycles[0]);

    let (_, cycles) = read(&mut memory(|c| c.refresh = Some(Refresh { every: 64, length: 8 })), &bursts);
    let span = cycles[255] - cycles[0];
    assert!((255 + 4 * 8..=255 + 5 * 8).contains(&span), "{span}");
}

#[test]
fn half_duplex_shares_the_bus() {
    let span = |half_duplex| {
        let mut memory = memory(|c| c.half_duplex = half_duplex);
        let (mut reads, mut writes) = (0, 0);
        let data = [1; 16];
        let mut cycle = 0u64;
        let (mut ar, mut aw, mut beat) = (0u64, 0u64, 0u64);
        while reads < 512 || writes < 512 {
            let out = *memory.out();
            let w = (beat < 512).then_some(WriteBeat { data: &data, strb: 0xffff, last: beat % 16 == 15 });
            let from = FromMaster {
                ar: (ar < 32).then(|| burst(ar * 256, 16, 4)),
                aw: (aw < 32).then(|| burst(0x8000 + aw * 256, 16, 4)),
                w,
                rready: true,
                bready: true,
            };
            memory.step(&from).unwrap();
            ar += u64::from(out.arready && from.ar.is_some());
            aw += u64::from(out.awready && from.aw.is_some());
            reads += u64::from(out.rvalid);
            if out.wready && w.is_some() {
                beat += 1;
                writes += 1;
            }
            cycle += 1;
            assert!(cycle < 5000);
        }
        cycle
    };
    assert!(span(false) < 540, "{}", span(false));
    assert!((1024..1050).contains(&span(true)), "{}", span(true));
}

#[test]
fn byte_enables_write_only_their_bytes() {
    let mut memory = memory(|_| {});
    let before = memory.bytes()[0x100..0x110].to_vec();
    assert_eq!(write(&mut memory, burst(0x100, 1, 4), &[0xaa; 16], 0x0ff0), 0);
    let after = &memory.bytes()[0x100..0x110];
    assert!(after[4..12] == [0xaa; 8] && after[..4] == before[..4] && after[12..] == before[12..]);
}

#[test]
fn errors_are_injected_by_address() {
    let mut memory = memory(|c| c.errors = 0x200..0x210);
    assert_eq!(write(&mut memory, burst(0x1e0, 2, 4), &[0; 32], 0xffff), 0);
    assert_eq!(write(&mut memory, burst(0x1e0, 4, 4), &[0; 64], 0xffff), 2);
    let mut resp = Vec::new();
    let mut ar = Some(burst(0x1f0, 3, 4));
    while resp.len() < 3 {
        let out = *memory.out();
        memory.step(&FromMaster { ar, rready: true, ..FromMaster::default() }).unwrap();
        if out.arready {
            ar = None;
        }
        if out.rvalid {
            resp.push(out.rresp);
        }
    }
    assert_eq!(resp, [0, 2, 0]);
}

/// The error of stepping through `steps`.
fn violation(steps: &[FromMaster<'_>]) -> String {
    let mut memory = memory(|_| {});
    for step in steps {
        if let Err(violation) = memory.step(step) {
            return violation.to_string();
        }
    }
    panic!("no violation");
}

#[test]
fn each_broken_rule_has_its_message() {
    let idle = FromMaster::default();
    let ar = |b: Burst| FromMaster { ar: Some(b), ..idle };
    let aw = |b: Burst| FromMaster { aw: Some(b), ..idle };
    let good = burst(0x100, 4, 4);
    let data = [0; 16];
    let w = |data: &'static [u8], strb, last| FromMaster { w: Some(WriteBeat { data, strb, last }), ..idle };
    let data: &'static [u8] = Box::leak(Box::new(data));
    let other: &'static [u8] = Box::leak(Box::new([1; 16]));
    let cases: [(&[FromMaster<'_>], &str); 14] = [
        (&[ar(burst(0x108, 1, 4))], "cycle 0 on AR: address 0x108 is not aligned to 16 bytes"),
        (&[idle, ar(burst(0xff0, 2, 4))], "cycle 1 on AR: 2 beats from 0xff0 cross a 4 KiB boundary"),
        (&[ar(burst(0x1_0000, 1, 4))], "outside the memory, 0x0 to 0xffff"),
        (&[ar(burst(0, 1, 3))], "size 3 on a bus of 16 bytes"),
        (&[ar(burst(0, 1, 200))], "size 200 on a bus of 16 bytes"),
        (&[ar(Burst { burst: 2, ..good })], "burst type 2"),
        (&[ar(good), ar(burst(0x100, 5, 4))], "on AR: payload changed before READY"),
        (&[ar(good), idle], "on AR: VALID fell before READY"),
        (&[aw(good), idle], "on AW: VALID fell before READY"),
        (&[w(data, 0xffff, false), w(other, 0xffff, false)], "on W: payload changed before WREADY"),
        (&[w(data, 0xffff, false), w(data, 1, false)], "on W: payload changed before WREADY"),
        (&[w(data, 0xffff, false), idle], "on W: WVALID fell before WREADY"),
        (&[w(data, 0x1_0000, false)], "WSTRB 0x10000 on a bus of 16 bytes"),
        (&[idle, aw(good), w(data, 0xffff, true)], "WLAST with 3 beats of the burst left"),
    ];
    for (steps, text) in cases {
        let found = violation(steps);
        assert!(found.contains(text), "{found} instead of {text}");
    }
}

#[test]
fn a_wrong_configuration_names_field_value_and_legal_range() {
    let mut config = MemoryConfig::new(1 << 16, 16);
    config.beat_bytes = 12;
    let error = Memory::new(config).unwrap_err().to_string();
    assert_eq!(error, "memory model: beat_bytes = 12; legal: 4, 8, 16, 32 or 64");
}

proptest! {
    #[test]
    fn what_was_written_is_read_under_any_timing(
        seed in any::<u64>(), chance in 0u8..200, latency in 1u32..60, beats in 1u32..=64, cycles in 1u32..5,
        outstanding in 1usize..=8, half_duplex in any::<bool>(),
    ) {
        let mut memory = memory(|c| {
            c.read_latency = latency;
            c.write_latency = latency;
            c.rate = Rate { beats: 1, cycles };
            c.backpressure = Some(Backpressure { seed, chance });
            c.outstanding = outstanding;
            c.half_duplex = half_duplex;
            c.refresh = Some(Refresh { every: 77, length: 10 });
        });
        let data: Vec<u8> = (0..beats * 16).map(|i| (u64::from(i).wrapping_mul(seed | 1) >> 13) as u8).collect();
        prop_assert_eq!(write(&mut memory, burst(0x2000, beats, 4), &data, 0xffff), 0);
        let (found, _) = read(&mut memory, &[burst(0x2000, beats, 4), burst(0x2000, beats, 4)]);
        prop_assert!(found[..data.len()] == data[..] && found[data.len()..] == data[..]);
        prop_assert!(memory.idle());
    }
}

#[test]
fn register_master_checks_its_slave() {
    let idle = LiteFromSlave::default();
    let early = LiteFromSlave { rvalid: true, ..idle };
    let mut master = LiteMaster::new(LiteSkew::Together);
    assert!(master.step(&early).unwrap_err().to_string().contains("a response without a request"));
    master.start_read(4);
    assert!(master.step(&early).unwrap_err().to_string().contains("RVALID before the address was taken"));
    master.start_write(4, 1, 0xf);
    let early = LiteFromSlave { bvalid: true, awready: true, ..idle };
    assert!(master.step(&early).unwrap_err().to_string().contains("BVALID before address and data"));

    let mut master = LiteMaster::new(LiteSkew::AddressFirst);
    master.start_read(4);
    master.step(&LiteFromSlave { arready: true, ..idle }).unwrap();
    master.step(&LiteFromSlave { rvalid: true, rdata: 1, ..idle }).unwrap();
    let error = master.step(&LiteFromSlave { rvalid: true, rdata: 2, ..idle }).unwrap_err();
    assert!(error.to_string().contains("on R: VALID fell or the payload changed"));
}
