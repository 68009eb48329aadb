// SPDX-License-Identifier: MIT OR Apache-2.0
//! An AXI4 master that runs a list of bursts and compares what it reads with a memory of its own.
//!
//! A burst waits while one that overlaps it is under way and either of them writes: so each read has one right answer.

use heddle_tb::{
    axi::{OKAY, SLVERR},
    blocks::{BlockError, Dut, Pin},
    random::Random,
    stream::Checker,
};
use std::{collections::VecDeque, ops::Range};

/// One burst to be done.
#[derive(Clone, Debug)]
pub struct Job {
    pub write: bool,
    pub addr: u64,
    pub beats: usize,
    /// The slave must answer SLVERR.
    pub refused: bool,
}

struct Pins {
    inputs: Vec<Pin>,
    outputs: Vec<Pin>,
}

const INPUTS: [&str; 16] = [
    "arvalid", "araddr", "arlen", "arsize", "arburst", "rready", "awvalid", "awaddr", "awlen", "awsize", "awburst", "wvalid", "wdata",
    "wstrb", "wlast", "bready",
];
const OUTPUTS: [&str; 9] = ["arready", "awready", "wready", "rvalid", "rdata", "rresp", "rlast", "bvalid", "bresp"];

impl Pins {
    fn new(dut: &Dut, prefix: &str) -> Result<Pins, BlockError> {
        let name = |signal: &&str| -> &'static str { format!("{prefix}{signal}").leak() };
        let inputs = INPUTS.iter().map(|n| Ok(dut.inputs([name(n)])?[0])).collect::<Result<_, BlockError>>()?;
        let outputs = OUTPUTS.iter().map(|n| Ok(dut.outputs([name(n)])?[0])).collect::<Result<_, BlockError>>()?;
        Ok(Pins { inputs, outputs })
    }

    fn input(&self, name: &str) -> Pin {
        self.inputs[INPUTS.iter().position(|n| *n == name).expect("an input")]
    }

    fn output(&self, name: &str) -> Pin {
        self.outputs[OUTPUTS.iter().position(|n| *n == name).expect("an output")]
    }
}

struct Flight {
    span: Range<u64>,
    /// What a read must give.
    expected: Vec<u8>,
    beats: usize,
    done: usize,
    refused: bool,
}

struct WriteBeat {
    data: Vec<u8>,
    strobe: Vec<u8>,
    last: bool,
}

pub struct Master {
    pins: Pins,
    beat: usize,
    base: u64,
    memory: Vec<u8>,
    rng: Random,
    /// Each channel holds back with this chance in 256 per cycle.
    stall: u8,
    /// But never that of data that was read.
    pub takes_reads: bool,
    pub jobs: VecDeque<Job>,
    asked: [Option<Job>; 2],
    valid: [bool; 2],
    beats: VecDeque<WriteBeat>,
    w_valid: bool,
    ready: [bool; 2],
    reads: VecDeque<Flight>,
    writes: VecDeque<Flight>,
    rules: [Checker<Vec<u8>>; 2],
    /// Beats read.
    pub read_beats: u64,
}

/// Bursts under way in each direction.
const UNDER_WAY: usize = 8;

impl Master {
    /// A master whose memory of zeros starts at `base`; `prefix`: of the port's signals.
    pub fn new(dut: &Dut, prefix: &str, beat: usize, base: u64, size: usize, stall: u8, seed: u64) -> Result<Master, BlockError> {
        Ok(Master {
            pins: Pins::new(dut, prefix)?,
            beat,
            base,
            memory: vec![0; size],
            rng: Random::new(seed),
            stall,
            takes_reads: false,
            jobs: VecDeque::new(),
            asked: [None, None],
            valid: [false; 2],
            beats: VecDeque::new(),
            w_valid: false,
            ready: [false; 2],
            reads: VecDeque::new(),
            writes: VecDeque::new(),
            rules: [Checker::default(), Checker::default()],
            read_beats: 0,
        })
    }

    pub fn done(&self) -> bool {
        self.jobs.is_empty() && self.reads.is_empty() && self.writes.is_empty()
    }

    /// What the memory must hold.
    pub fn memory(&self) -> &[u8] {
        &self.memory
    }

    pub fn state(&self) -> String {
        format!("{} bursts to go, {} reads and {} writes under way", self.jobs.len(), self.reads.len(), self.writes.len())
    }

    fn go(&mut self) -> bool {
        !self.rng.chance(self.stall)
    }

    /// Takes the next job up, if it waits for none that is under way.
    fn start(&mut self) {
        let Some(job) = self.jobs.front().cloned() else { return };
        let span = job.addr..job.addr + (job.beats * self.beat) as u64;
        let overlaps = |flights: &VecDeque<Flight>| flights.iter().any(|f| f.span.start < span.end && span.start < f.span.end);
        let conflict = overlaps(&self.writes) || job.write && overlaps(&self.reads);
        let flights = if job.write { &self.writes } else { &self.reads };
        if conflict || flights.len() >= UNDER_WAY || self.asked[usize::from(job.write)].is_some() {
            return;
        }
        self.jobs.pop_front();
        let place = (!job.refused).then(|| (span.start - self.base) as usize..(span.end - self.base) as usize);
        let mut flight = Flight { span, expected: vec![], beats: job.beats, done: 0, refused: job.refused };
        if job.write {
            self.fill(&job, place);
            self.writes.push_back(flight);
        } else {
            flight.expected = place.map(|p| self.memory[p].to_vec()).unwrap_or_default();
            self.reads.push_back(flight);
        }
        let channel = usize::from(job.write);
        self.asked[channel] = Some(job);
    }

    /// Random data and strobes; most beats are written whole.
    fn fill(&mut self, job: &Job, place: Option<Range<usize>>) {
        for i in 0..job.beats {
            let data: Vec<u8> = (0..self.beat).map(|_| self.rng.bits() as u8).collect();
            let whole = self.rng.chance(160);
            let bits: Vec<bool> = (0..self.beat).map(|_| whole || self.rng.chance(128)).collect();
            if let Some(place) = &place {
                let at = place.start + i * self.beat;
                (0..self.beat).filter(|&b| bits[b]).for_each(|b| self.memory[at + b] = data[b]);
            }
            let strobe = bits.chunks(8).map(|c| c.iter().enumerate().fold(0, |s, (b, &on)| s | u8::from(on) << b)).collect();
            self.beats.push_back(WriteBeat { data, strobe, last: i + 1 == job.beats });
        }
    }

    /// Sets the inputs of this cycle.
    pub fn drive(&mut self, dut: &mut Dut) {
        self.start();
        for (i, ch) in ["ar", "aw"].into_iter().enumerate() {
            self.valid[i] = self.asked[i].is_some() && (self.valid[i] || self.go());
            let pin = |field: &str| self.pins.input(&format!("{ch}{field}"));
            dut.put(pin("valid"), self.valid[i].into());
            if let Some(job) = &self.asked[i] {
                dut.put(pin("addr"), job.addr);
                dut.put(pin("len"), job.beats as u64 - 1);
                dut.put(pin("size"), self.beat.ilog2().into());
                dut.put(pin("burst"), 1);
            }
        }
        self.w_valid = !self.beats.is_empty() && (self.w_valid || self.go());
        dut.put(self.pins.input("wvalid"), self.w_valid.into());
        if let Some(beat) = self.beats.front() {
            dut.put_bytes(self.pins.input("wdata"), &beat.data);
            dut.put_bytes(self.pins.input("wstrb"), &beat.strobe);
            dut.put(self.pins.input("wlast"), beat.last.into());
        }
        self.ready = [self.go() || self.takes_reads, self.go()];
        dut.put(self.pins.input("rready"), self.ready[0].into());
        dut.put(self.pins.input("bready"), self.ready[1].into());
    }

    /// Takes what the slave gives in this cycle.
    pub fn sample(&mut self, dut: &Dut) -> Result<(), BlockError> {
        let high = |name: &str| dut.high(self.pins.output(name));
        let taken = [self.valid[0] && high("arready"), self.valid[1] && high("awready")];
        let w_taken = self.w_valid && high("wready");
        let r = high("rvalid").then(|| {
            let mut beat = dut.read_bytes(self.pins.output("rdata"));
            beat.extend(["rresp", "rlast"].map(|n| dut.read(self.pins.output(n)) as u8));
            beat
        });
        let b = high("bvalid").then(|| vec![dut.read(self.pins.output("bresp")) as u8]);
        for (i, offered) in [&r, &b].into_iter().enumerate() {
            let held = self.rules[i].step(offered.as_ref(), self.ready[i]);
            held.map_err(|e| BlockError::Wrong(format!("channel {}: {e}", ["R", "B"][i])))?;
        }
        for i in (0..2).filter(|&i| taken[i]) {
            (self.asked[i], self.valid[i]) = (None, false);
        }
        if w_taken {
            self.beats.pop_front();
            self.w_valid = false;
        }
        if let Some(beat) = r.filter(|_| self.ready[0]) {
            self.read_beat(&beat)?;
        }
        if let Some(response) = b.filter(|_| self.ready[1]) {
            let flight = self.writes.pop_front().ok_or_else(|| BlockError::Wrong("a response to no write".into()))?;
            let want = if flight.refused { SLVERR } else { OKAY };
            same("response to a write", &flight.span, &response, &[want])?;
        }
        Ok(())
    }

    fn read_beat(&mut self, beat: &[u8]) -> Result<(), BlockError> {
        let flight = self.reads.front_mut().ok_or_else(|| BlockError::Wrong("a read beat that nobody asked for".into()))?;
        let last = flight.done + 1 == flight.beats;
        let (data, rest) = beat.split_at(self.beat);
        same("response and last of a read", &flight.span, rest, &[if flight.refused { SLVERR } else { OKAY }, last.into()])?;
        if !flight.refused {
            let want = &flight.expected[flight.done * self.beat..][..self.beat];
            same(&format!("beat {}", flight.done), &flight.span, data, want)?;
        }
        flight.done += 1;
        self.read_beats += 1;
        if last {
            self.reads.pop_front();
        }
        Ok(())
    }
}

fn same(what: &str, span: &Range<u64>, got: &[u8], want: &[u8]) -> Result<(), BlockError> {
    match got == want {
        true => Ok(()),
        false => Err(BlockError::Wrong(format!("{what}, burst {:#x}..{:#x}: {got:02x?}, not {want:02x?}", span.start, span.end))),
    }
}
