// SPDX-License-Identifier: MIT OR Apache-2.0
//! The register block: AXI4-Lite, and every register as its declaration says.
//!
//! One address is watched, any of them: what is shown for it is shown for every register. `csr_proof` leaves the master
//! free but for the rules of its channels; `csr_progress_proof` has it take each response within [`PATIENCE`] cycles.

use super::{Block, Proof, observe, parts::*};
use crate::{
    formal::Mutation,
    mutation::Change::{Always, Constant, DropNot, DropUpdate, Net, Operator, Slice, SwapMux},
};
use heddle_core::{
    config::Config,
    engine::csr,
    registers::{ADDRESS_BITS, Access, Register, Reset, present},
};
use heddle_lang::{
    BuildError, Builder, Expr, Ty,
    expr::BinaryOp::{And, Or},
};

const MEANINGS: [(&str, &str); 30] = [
    ("one_address_per_write", "an address is taken exactly where none waits for its data"),
    ("one_word_per_write", "data are taken exactly where none wait for their address"),
    ("address_is_kept", "an address that was taken stays as it was until the write is made"),
    ("register_is_selected", "while a word is looked up, exactly the register at the address that was taken is selected"),
    ("data_are_kept", "data and strobes that were taken stay as they were until the write is made"),
    ("read_answered_once", "a read is taken exactly where none is looked up and no response waits"),
    ("valid_stays", "valid stays until the master takes the response"),
    ("data_stays", "the response (and the data read) stay until the master takes them"),
    ("one_response_per_write", "a write is answered once, a cycle after it was made"),
    ("one_response_per_read", "a read is answered once, two cycles after it was taken"),
    ("written_word_is_kept", "a writable register holds its reset value, then what was written under the strobes, and nothing else"),
    ("reads_back", "a read of a writable register gives what was written last"),
    ("constants_ignore_writes", "a read of a constant gives the declared value, whatever was written"),
    ("status_follows_hardware", "a read of a status register gives what the hardware shows, whatever was written"),
    ("events_stay_until_cleared", "an event stays until a one is written to it; one that comes with that write is not lost"),
    ("events_are_read", "a read of the events gives the pending ones"),
    ("commands_pulse", "a command is given exactly in the cycle after a one was written to it"),
    ("commands_read_zero", "a read of the commands gives zero"),
    ("unmapped_read_is_refused", "a read gets SLVERR and zero exactly where there is no register"),
    ("unmapped_write_is_refused", "a write gets SLVERR exactly where there is no register"),
    ("write_in_time", "a write is made at most three cycles after address and data are offered, if the master takes responses in time"),
    ("read_in_time", "a read is taken at most four cycles after it is offered, if the master takes responses in time"),
    ("address_first", "a write is made whose address came before its data"),
    ("data_first", "a write is made whose data came before their address"),
    ("write_and_read", "a write is made and a read taken in one cycle"),
    ("write_refused", "a write is refused"),
    ("new_word_read", "a word that was written is read, and differs from the reset value"),
    ("event_and_clear", "an event comes in the cycle that clears it"),
    ("write_waits", "a write waits as long as it may"),
    ("read_waits", "a read waits as long as it may"),
];

const WORD: Ty = Ty::Unsigned(32);
const SLVERR: i128 = 2;
/// Cycles that the master lets a response wait.
const PATIENCE: u32 = 2;

pub fn block() -> Result<Block, BuildError> {
    Ok(Block { name: "csr", proofs: vec![registers()?, progress()?], meanings: MEANINGS.to_vec() })
}

/// The block, with the write that it has taken and not made yet, and the registers that a read selects.
fn unit(m: &mut Builder, config: &Config) -> Result<Unit, BuildError> {
    let flags = present(config).map(|register| format!("{}_q", selected(register)));
    let nets: Vec<String> = ["write_address_q", "write_data_q", "write_strobe_q"].map(String::from).into_iter().chain(flags).collect();
    let nets: Vec<&str> = nets.iter().map(String::as_str).collect();
    Ok(harness(&observe(&csr::csr(config)?, &nets), &[], m))
}

/// The flag of a register that a read asks for.
fn selected(register: &Register) -> String {
    format!("{}_selected", register.name.to_lowercase())
}

/// The channels of the bus.
struct Bus {
    aw: Watched,
    w: Watched,
    b: Watched,
    ar: Watched,
    r: Watched,
}

impl Bus {
    /// The master keeps the rules of its channels.
    fn new(m: &mut Builder, unit: &Unit) -> Result<Bus, BuildError> {
        let port = |name: &str| unit.get(&format!("s_axil_{name}"));
        let channel = |name: &str, data: Expr| Watched { valid: port(&format!("{name}valid")), ready: port(&format!("{name}ready")), data };
        let bus = Bus {
            aw: channel("aw", port("awaddr")),
            w: channel("w", Expr::concat([port("wdata"), port("wstrb")])),
            b: channel("b", port("bresp")),
            ar: channel("ar", port("araddr")),
            r: channel("r", Expr::concat([port("rdata"), port("rresp")])),
        };
        for (name, channel) in [("aw", &bus.aw), ("w", &bus.w), ("ar", &bus.ar)] {
            channel.rules(m, name, true)?;
        }
        Ok(bus)
    }
}

/// Address and data of writes, which come in any order.
struct Write {
    /// The write is made in this cycle: both have come, and no response waits.
    made: Expr,
    address: Expr,
    data: Expr,
    strobe: Expr,
    /// Both are there or offered, and the write is not made yet.
    waits: Expr,
}

impl Write {
    fn new(m: &mut Builder, unit: &Unit, bus: &Bus) -> Write {
        let rst = m.reset();
        let made = m.forward("made", Ty::BIT);
        let mut came = Vec::new();
        for (name, rule, channel) in [("address", "one_address_per_write", &bus.aw), ("word", "one_word_per_write", &bus.w)] {
            let here = m.reg(&format!("{name}_came"), Ty::BIT, 0);
            m.on(&here, channel.transfer(), 1);
            m.on(&here, &made, 0);
            m.assert(rule, &rst | channel.ready.eq(!here.q()));
            came.push(here.q());
        }
        let [came_address, came_word] = [&came[0], &came[1]];
        m.drive(&made, came_address & came_word & !&bus.b.valid);
        let port = |name: &str| unit.get(&format!("s_axil_{name}"));
        let address = m.register_when("address", bus.aw.transfer(), port("awaddr"));
        let data = m.register_when("data", bus.w.transfer(), port("wdata"));
        let strobe = m.register_when("strobe", bus.w.transfer(), port("wstrb"));
        let same = |name: &str, value: &Expr| unit.get(&format!("seen_write_{name}")).eq(value);
        m.assert("address_is_kept", &rst | !came_address | same("address", &address));
        m.assert("data_are_kept", &rst | !came_word | (same("data", &data) & same("strobe", &strobe)));
        for (name, first, second) in [("address_first", came_address, came_word), ("data_first", came_word, came_address)] {
            let order = m.reg(name, Ty::BIT, 0);
            m.on(&order, first & !second, 1);
            m.on(&order, &made, 0);
            m.cover(name, &made & order.q());
        }
        let waits = (came_address | &bus.aw.valid) & (came_word | &bus.w.valid) & !&made;
        Write { made, address, data, strobe, waits }
    }
}

/// Reads: an address is taken, and in the cycle after it the word of the register at it is looked up.
struct Read {
    found: Expr,
    address: Expr,
}

impl Read {
    fn new(m: &mut Builder, unit: &Unit, config: &Config, bus: &Bus) -> Read {
        let rst = m.reset();
        let taken = m.wire("read", bus.ar.transfer());
        let found = m.register_reset("read_found", &taken);
        let address = m.register_when("read_address", &taken, unit.get("s_axil_araddr"));
        m.assert("read_answered_once", &rst | bus.ar.ready.eq(!&found & !&bus.r.valid));
        let flag = |register: &Register| unit.get(&format!("seen_{}", selected(register))).eq(address.eq(register.offset));
        let right = present(config).map(flag).reduce(|a, b| a & b).unwrap_or_else(|| Expr::bit_const(true));
        m.assert("register_is_selected", rst | !&found | right);
        Read { found, address }
    }
}

fn registers() -> Result<Proof, BuildError> {
    let config = Config::gated();
    let mut m = Builder::clocked("csr_proof", file!());
    let unit = unit(&mut m, &config)?;
    let bus = Bus::new(&mut m, &unit)?;
    let write = Write::new(&mut m, &unit, &bus);
    let read = Read::new(&mut m, &unit, &config, &bus);
    bus.b.rules(&mut m, "b", false)?;
    bus.r.rules(&mut m, "r", false)?;
    responses(&mut m, &bus, &write.made, &read.found);
    m.cover("write_and_read", &write.made & bus.ar.transfer());
    let mut proof = Registers { m, unit, config, write, read };
    proof.contents();
    proof.events();
    proof.commands();
    proof.refusals();
    let change = |net: &str, change, violates: &[&'static str]| Mutation::new("csr", net, change, violates);
    let mutations = vec![
        change("has_address_q", DropUpdate(1), &["one_address_per_write"]),
        change("has_data_q", DropUpdate(1), &["one_word_per_write"]),
        change("write_address_q", Always(0), &["address_is_kept"]),
        change("write_data_q", Always(0), &["data_are_kept"]),
        change("write_accept", Operator(And, Or), &["one_response_per_write"]),
        change("bvalid_q", DropUpdate(1), &["one_response_per_write"]),
        change("bvalid_q", Always(1), &["b_rules.valid_stays"]),
        change("bresp_q", Always(0), &["b_rules.data_stays"]),
        change("bresp_q", SwapMux, &["unmapped_write_is_refused"]),
        change("cycles_selected_q", Net("s_axil_araddr_i", "s_axil_awaddr_i"), &["register_is_selected"]),
        change("read_free", DropNot, &["read_answered_once"]),
        change("rvalid_q", DropUpdate(0), &["one_response_per_read"]),
        change("rvalid_q", Always(1), &["r_rules.valid_stays"]),
        change("rdata_q", Always(0), &["r_rules.data_stays", "commands_read_zero"]),
        change("rresp_q", SwapMux, &["unmapped_read_is_refused"]),
        change("id_read", Constant(0x4844_4c45, 0x4844_4c44), &["constants_ignore_writes"]),
        change("cycles_read", Net("cycles_i", "rows_i"), &["status_follows_hardware"]),
        change("irq_status_read", Net("irq_status_done_q", "irq_enable_done_q"), &["events_are_read"]),
        change("scratch_read", Net("scratch_q", "cycles_i"), &["reads_back"]),
        change("program_address_q", Slice(1), &["written_word_is_kept"]),
        change("irq_status_done_q", Operator(Or, And), &["events_stay_until_cleared"]),
        change("control_start_q", Slice(1), &["commands_pulse"]),
    ];
    Ok(Proof { module: proof.m.build()?, depth: 10, induction: 2, mutations })
}

/// One response for each access, and no other.
fn responses(m: &mut Builder, bus: &Bus, write: &Expr, read: &Expr) {
    let rst = m.reset();
    for (name, taken, response) in [("write", write, &bus.b), ("read", read, &bus.r)] {
        let pending = m.reg(&format!("{name}_pending"), Ty::BIT, 0);
        m.on(&pending, taken, 1);
        m.on(&pending, response.transfer(), 0);
        m.assert(&format!("one_response_per_{name}"), &rst | response.valid.eq(pending.q()));
    }
}

/// Picks registers.
type Kind = fn(&Register) -> bool;

/// A register of the declaration reads the same always.
fn is_constant(register: &Register) -> bool {
    !matches!(register.reset, Reset::Value(0))
}

/// The proof of what is in the registers.
struct Registers {
    m: Builder,
    unit: Unit,
    config: Config,
    write: Write,
    read: Read,
}

impl Registers {
    fn port(&self, name: &str) -> Expr {
        self.unit.get(&format!("s_axil_{name}"))
    }

    /// The word of a register from the ports that carry its fields.
    fn word(&self, register: &Register) -> Expr {
        let zero = Expr::constant(WORD, 0);
        match register.fields {
            [] => self.unit.get(&csr::port(register, None)),
            fields => fields.iter().fold(zero, |word, f| {
                let value = self.unit.get(&csr::port(register, Some(f)));
                word | value.shift_left(f.lsb).extend(32)
            }),
        }
    }

    /// Bits that are written: under their strobe, and existing.
    fn written(&self, register: &Register) -> Expr {
        let bytes: Vec<Expr> = (0..4).map(|i| self.write.strobe.bit(i).repeat(8)).collect();
        Expr::pack(&bytes) & Expr::constant(WORD, register.mask().into())
    }

    fn writes(&self, register: &Register) -> Expr {
        &self.write.made & self.write.address.eq(register.offset)
    }

    /// What holds of the word that a read of the watched address gives.
    fn contents(&mut self) {
        let (watched, choice) = symbol_and_choice(&mut self.m, "watched", Ty::Unsigned(ADDRESS_BITS));
        let rst = self.m.reset();
        let Read { found, address } = &self.read;
        let (found, address) = (found.clone(), address.clone());
        self.m.comment("What was written to the watched register");
        let kept = self.m.reg_no_reset("kept", WORD);
        let config = self.config.clone();
        let at = |address: &Expr, value: &dyn Fn(&Register) -> Expr| {
            let zero = Expr::constant(WORD, 0);
            present(&config).fold(zero, |word, register| address.eq(register.offset).mux(value(register), &word))
        };
        let reset = at(&choice, &|register| Expr::constant(WORD, register.reset_value(&config).into()));
        let mask = at(&watched, &|register| self.written(register));
        let merged = (kept.q() & !&mask) | (&self.write.data & mask);
        let shown = at(&watched, &|register| match register.access {
            Access::WriteOnly => Expr::constant(WORD, 0),
            Access::ReadOnly if is_constant(register) => Expr::constant(WORD, register.reset_value(&config).into()),
            _ => self.word(register),
        });
        let hits_write = &self.write.made & self.write.address.eq(&watched);
        self.m.on(&kept, &rst, reset);
        self.m.on(&kept, hits_write, merged);
        let (kept, rdata) = (kept.q(), self.port("rdata"));
        let writable = self.is(&watched, |r| r.access == Access::ReadWrite);
        self.m.assert("written_word_is_kept", &rst | !&writable | shown.eq(&kept));
        self.m.comment("What a read of it has to give");
        let hits = &found & address.eq(&watched);
        let expected = self.m.register_when("expected", &hits, &shown);
        let was_kept = self.m.register_when("was_kept", &hits, &kept);
        let answer = self.m.reg("answers_watched", Ty::BIT, 0);
        self.m.on(&answer, &found, hits);
        let answers = &answer.q() & self.port("rvalid");
        self.m.assert("reads_back", &rst | !(&answers & &writable) | rdata.eq(&was_kept));
        let groups: [(&str, Kind); 4] = [
            ("constants_ignore_writes", |r| r.access == Access::ReadOnly && is_constant(r)),
            ("status_follows_hardware", |r| r.access == Access::ReadOnly && !is_constant(r)),
            ("events_are_read", |r| r.access == Access::WriteOneToClear),
            ("commands_read_zero", |r| r.access == Access::WriteOnly),
        ];
        for (name, group) in groups {
            let applies = &answers & self.is(&watched, group);
            self.m.assert(name, &rst | !applies | rdata.eq(&expected));
        }
        let scratch = present(&config).find(|r| r.name == "SCRATCH").map_or(0, |r| r.offset);
        self.m.cover("new_word_read", answers & watched.eq(scratch) & rdata.bit(3));
    }

    /// The address is one of a register of a kind.
    fn is(&self, address: &Expr, kind: Kind) -> Expr {
        let matching = present(&self.config).filter(|r| kind(r)).map(|r| address.eq(r.offset));
        matching.reduce(|a, b| a | b).unwrap_or_else(|| Expr::bit_const(false))
    }

    fn events(&mut self) {
        let rst = self.m.reset();
        let (mut right, mut together) = (Expr::bit_const(true), Expr::bit_const(false));
        for register in present(&self.config).filter(|r| r.access == Access::WriteOneToClear) {
            let zero = Expr::constant(WORD, 0);
            let cleared = self.writes(register).mux(&self.write.data & self.written(register), &zero);
            let set = register.fields.iter().fold(zero, |word, f| {
                let event = self.unit.get(&format!("{}_set", csr::port(register, Some(f))));
                word | event.shift_left(f.lsb).extend(32)
            });
            let pending = self.m.reg(&format!("{}_model", register.name.to_lowercase()), WORD, 0);
            together = together | (&pending.q() & &cleared & &set).any();
            self.m.next(&pending, (pending.q() & !cleared) | set);
            right = right & self.word(register).eq(pending.q());
        }
        self.m.assert("events_stay_until_cleared", rst | right);
        self.m.cover("event_and_clear", together);
    }

    fn commands(&mut self) {
        let rst = self.m.reset();
        let mut right = Expr::bit_const(true);
        for register in present(&self.config).filter(|r| r.access == Access::WriteOnly) {
            let given = self.writes(register).mux(&self.write.data & self.written(register), &Expr::constant(WORD, 0));
            let given = self.m.register_reset(&format!("{}_given", register.name.to_lowercase()), given);
            right = right & self.word(register).eq(given);
        }
        self.m.assert("commands_pulse", rst | right);
    }

    fn refusals(&mut self) {
        let rst = self.m.reset();
        let known = [self.write.address.clone(), self.read.address.clone()].map(|address| self.is(&address, |_| true));
        let [known_write, known_read] = known;
        let known_write = self.m.register_when("known_write", &self.write.made, known_write);
        let known_read = self.m.register_when("known_read", &self.read.found, known_read);
        let response = |known: &Expr| known.mux(Expr::constant(Ty::Unsigned(2), 0), &Expr::constant(Ty::Unsigned(2), SLVERR));
        let answer = self.port("bvalid");
        self.m.assert("unmapped_write_is_refused", &rst | !&answer | self.port("bresp").eq(response(&known_write)));
        self.m.cover("write_refused", answer & !known_write & self.port("bresp").eq(SLVERR));
        let right = self.port("rresp").eq(response(&known_read)) & (&known_read | self.port("rdata").is_zero());
        self.m.assert("unmapped_read_is_refused", rst | !self.port("rvalid") | right);
    }
}

/// With a master that takes its responses in time, no access waits for long.
fn progress() -> Result<Proof, BuildError> {
    let mut m = Builder::clocked("csr_progress_proof", file!());
    let unit = unit(&mut m, &Config::gated())?;
    let bus = Bus::new(&mut m, &unit)?;
    let write = Write::new(&mut m, &unit, &bus);
    let rst = m.reset();
    let read_waits = &bus.ar.valid & !&bus.ar.ready;
    // A read is looked up in a cycle of its own before it is answered.
    for (name, waiting_now, response, most) in [("write", write.waits, &bus.b, PATIENCE + 1), ("read", read_waits, &bus.r, PATIENCE + 2)] {
        let waiting = cycles(&mut m, &format!("{name}_response_waits"), 3, &response.valid & !&response.ready);
        m.assume(&format!("{name}_response_taken"), &rst | !&response.valid | &response.ready | waiting.lt(PATIENCE));
        let waits = cycles(&mut m, &format!("{name}_waits"), 3, waiting_now);
        m.assert(&format!("{name}_in_time"), &rst | waits.le(most));
        m.cover(&format!("{name}_waits"), waits.eq(most));
    }
    let change = |net: &str, change, violates: &[&'static str]| Mutation::new("csr", net, change, violates);
    let mutations = vec![
        change("bvalid_q", DropUpdate(1), &["write_in_time"]),
        change("rvalid_q", DropUpdate(1), &["read_in_time"]),
        change("has_address_q", DropUpdate(1), &["one_address_per_write"]),
        change("has_data_q", DropUpdate(1), &["one_word_per_write"]),
        change("write_address_q", Always(0), &["address_is_kept"]),
        change("write_data_q", Always(0), &["data_are_kept"]),
    ];
    Ok(Proof { module: m.build()?, depth: 12, induction: 6, mutations })
}
