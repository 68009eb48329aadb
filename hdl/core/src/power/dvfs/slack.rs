// SPDX-License-Identifier: MIT OR Apache-2.0
//! Time of a pass of the model against its target, and the index into the table that follows from it.
//!
//! Ports      `layer_*`: a layer begins (`layer_valid_i`, a pulse); `tick_i`: time passes; `ttft_i`, `tpot_i`: targets
//!            in ticks, 0 for none; `settled_i`: the move before is over; `lookup_o`, `index_o`; `elapsed_o`; `slack_o`
//!            at the layer's begin, signed; a pulse and a count for each violated target
//! Latency    12 cycles from `layer_valid_i` to `lookup_o`, after a move under way
//! Throughput one look-up at a time, the latest layer wins
//! Rounding   the share of the target is rounded down      Reset  no pass under way

use rust_hdl::prelude::*;

/// What holds in each state.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
pub enum SlackState {
    Resting,
    /// The share of the target, a bit of the progress per cycle.
    Scaling,
    /// The share is known.
    Scaled,
    /// The slack is known.
    Measured,
    /// The index is known: the table reads.
    Reading,
    /// The entry is there.
    Found,
    /// The move goes on, if there is one.
    Moving,
}

/// The meter.
#[derive(LogicBlock)]
pub struct Slack {
    pub clock: Signal<In, Clock>,
    pub layer_valid: Signal<In, Bit>,
    /// 0: prefill, 1: decode.
    pub layer_phase: Signal<In, Bit>,
    pub layer_class: Signal<In, Bits<3>>,
    pub layer_first: Signal<In, Bit>,
    pub layer_last: Signal<In, Bit>,
    pub layer_progress: Signal<In, Bits<8>>,
    pub tick: Signal<In, Bit>,
    pub ttft: Signal<In, Bits<31>>,
    pub tpot: Signal<In, Bits<31>>,
    pub settled: Signal<In, Bit>,
    pub lookup: Signal<Out, Bit>,
    pub index: Signal<Out, Bits<6>>,
    pub elapsed: Signal<Out, Bits<31>>,
    pub slack: Signal<Out, Bits<32>>,
    pub ttft_event: Signal<Out, Bit>,
    pub tpot_event: Signal<Out, Bit>,
    pub ttft_violations: Signal<Out, Bits<16>>,
    pub tpot_violations: Signal<Out, Bits<16>>,
    state: DFF<SlackState>,
    // The pass under way.
    phase: DFF<Bit>,
    running: DFF<Bit>,
    ticks: DFF<Bits<31>>,
    violated: DFF<Bit>,
    ttft_pulse: DFF<Bit>,
    tpot_pulse: DFF<Bit>,
    ttft_count: DFF<Bits<16>>,
    tpot_count: DFF<Bits<16>>,
    // The latest layer, until it is looked up.
    asked: DFF<Bit>,
    asked_ticks: DFF<Bits<31>>,
    class: DFF<Bits<3>>,
    progress: DFF<Bits<8>>,
    // The layer that is looked up.
    work_phase: DFF<Bit>,
    work_index: DFF<Bits<6>>,
    work_ticks: DFF<Bits<31>>,
    work_slack: DFF<Bits<32>>,
    multiplier: DFF<Bits<8>>,
    share: DFF<Bits<32>>,
    step: DFF<Bits<3>>,
    decode: Constant<Bits<6>>,
    class_mask: Constant<Bits<6>>,
    target: Signal<Local, Bits<31>>,
    overdue: Signal<Local, Bit>,
    work_target: Signal<Local, Bits<32>>,
    eighth: Signal<Local, Bits<32>>,
    quarter: Signal<Local, Bits<32>>,
    sum: Signal<Local, Bits<32>>,
    bin: Signal<Local, Bits<6>>,
    class_index: Signal<Local, Bits<6>>,
}

impl Slack {
    /// For a table of `entries`: half of them for each phase, four for each class.
    pub fn new(entries: u32) -> Self {
        Slack {
            clock: Default::default(),
            layer_valid: Default::default(),
            layer_phase: Default::default(),
            layer_class: Default::default(),
            layer_first: Default::default(),
            layer_last: Default::default(),
            layer_progress: Default::default(),
            tick: Default::default(),
            ttft: Default::default(),
            tpot: Default::default(),
            settled: Default::default(),
            lookup: Default::default(),
            index: Default::default(),
            elapsed: Default::default(),
            slack: Default::default(),
            ttft_event: Default::default(),
            tpot_event: Default::default(),
            ttft_violations: Default::default(),
            tpot_violations: Default::default(),
            state: Default::default(),
            phase: Default::default(),
            running: Default::default(),
            ticks: Default::default(),
            violated: Default::default(),
            ttft_pulse: Default::default(),
            tpot_pulse: Default::default(),
            ttft_count: Default::default(),
            tpot_count: Default::default(),
            asked: Default::default(),
            asked_ticks: Default::default(),
            class: Default::default(),
            progress: Default::default(),
            work_phase: Default::default(),
            work_index: Default::default(),
            work_ticks: Default::default(),
            work_slack: Default::default(),
            multiplier: Default::default(),
            share: Default::default(),
            step: Default::default(),
            decode: Constant::new(u64::from(entries / 2).to_bits()),
            class_mask: Constant::new(u64::from(entries / 2 - 4).to_bits()),
            target: Default::default(),
            overdue: Default::default(),
            work_target: Default::default(),
            eighth: Default::default(),
            quarter: Default::default(),
            sum: Default::default(),
            bin: Default::default(),
            class_index: Default::default(),
        }
    }
}

impl Logic for Slack {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, phase, running, ticks, violated, ttft_count, tpot_count, asked, asked_ticks, class, progress);
        dff_setup!(self, clock, work_phase, work_index, work_ticks, work_slack, multiplier, share, step);
        clock!(self, clock, ttft_pulse, tpot_pulse);
        self.lookup.next = self.state.q.val() == SlackState::Reading;
        self.index.next = self.work_index.q.val();
        self.elapsed.next = self.ticks.q.val();
        self.slack.next = self.work_slack.q.val();
        self.ttft_event.next = self.ttft_pulse.q.val();
        self.tpot_event.next = self.tpot_pulse.q.val();
        self.ttft_violations.next = self.ttft_count.q.val();
        self.tpot_violations.next = self.tpot_count.q.val();

        // The pass under way: time, and its target.
        self.target.next = self.ttft.val();
        if self.phase.q.val() {
            self.target.next = self.tpot.val();
        }
        if (self.tick.val() & self.running.q.val()) & !self.ticks.q.val().all() {
            self.ticks.d.next = self.ticks.q.val() + 1;
        }
        self.overdue.next =
            ((self.running.q.val() & self.target.val().any()) & !self.violated.q.val()) & (self.ticks.q.val() > self.target.val());
        self.ttft_pulse.d.next = self.overdue.val() & !self.phase.q.val();
        self.tpot_pulse.d.next = self.overdue.val() & self.phase.q.val();
        if self.overdue.val() {
            self.violated.d.next = true;
            if self.phase.q.val() {
                self.tpot_count.d.next = self.tpot_count.q.val() + 1;
            } else {
                self.ttft_count.d.next = self.ttft_count.q.val() + 1;
            }
        }

        // The layer that is looked up: its share of the target, the slack, the index.
        self.work_target.next = bit_cast::<32, 31>(self.ttft.val());
        if self.work_phase.q.val() {
            self.work_target.next = bit_cast::<32, 31>(self.tpot.val());
        }
        self.eighth.next = self.work_target.val() >> 3;
        self.quarter.next = self.work_target.val() >> 2;
        self.sum.next = self.share.q.val();
        if self.multiplier.q.val().get_bit(0) {
            self.sum.next = self.share.q.val() + self.work_target.val();
        }
        self.bin.next = 3.into();
        if self.work_target.val().any() {
            if self.work_slack.q.val().get_bit(31) {
                self.bin.next = 0.into();
            } else if self.work_slack.q.val() < self.eighth.val() {
                self.bin.next = 1.into();
            } else if self.work_slack.q.val() < self.quarter.val() {
                self.bin.next = 2.into();
            }
        }
        self.class_index.next = (bit_cast::<6, 3>(self.class.q.val()) << 2) & self.class_mask.val();
        match self.state.q.val() {
            SlackState::Resting => {
                if self.asked.q.val() & self.settled.val() {
                    self.asked.d.next = false;
                    self.work_ticks.d.next = self.asked_ticks.q.val();
                    self.work_phase.d.next = self.phase.q.val();
                    self.work_index.d.next = self.class_index.val();
                    if self.phase.q.val() {
                        self.work_index.d.next = self.class_index.val() | self.decode.val();
                    }
                    self.multiplier.d.next = self.progress.q.val();
                    self.share.d.next = 0.into();
                    self.step.d.next = 0.into();
                    self.state.d.next = SlackState::Scaling;
                }
            }
            SlackState::Scaling => {
                self.share.d.next = self.sum.val() >> 1;
                self.multiplier.d.next = self.multiplier.q.val() >> 1;
                self.step.d.next = self.step.q.val() + 1;
                if self.step.q.val().all() {
                    self.state.d.next = SlackState::Scaled;
                }
            }
            SlackState::Scaled => {
                self.work_slack.d.next = self.share.q.val() - bit_cast::<32, 31>(self.work_ticks.q.val());
                self.state.d.next = SlackState::Measured;
            }
            SlackState::Measured => {
                self.work_index.d.next = self.work_index.q.val() | self.bin.val();
                self.state.d.next = SlackState::Reading;
            }
            SlackState::Reading => {
                self.state.d.next = SlackState::Found;
            }
            SlackState::Found => {
                self.state.d.next = SlackState::Moving;
            }
            SlackState::Moving => {
                if self.settled.val() {
                    self.state.d.next = SlackState::Resting;
                }
            }
            // Rust knows no other state, but flip-flops do.
            #[allow(unreachable_patterns)]
            _ => {
                self.state.d.next = SlackState::Moving;
            }
        }

        // A layer begins, or the pass ends.
        if self.layer_valid.val() {
            if self.layer_first.val() {
                self.ticks.d.next = 0.into();
                self.running.d.next = true;
                self.violated.d.next = false;
            }
            if self.layer_last.val() {
                self.running.d.next = false;
            } else {
                self.phase.d.next = self.layer_phase.val();
                self.class.d.next = self.layer_class.val();
                self.progress.d.next = self.layer_progress.val();
                self.asked.d.next = true;
                self.asked_ticks.d.next = self.ticks.q.val();
                if self.layer_first.val() {
                    self.asked_ticks.d.next = 0.into();
                }
            }
        }
    }
}
