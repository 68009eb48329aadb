// SPDX-License-Identifier: MIT OR Apache-2.0
//! What SDRAM stands on the board, and how it is run.

/// Bits of the device's data bus.
pub const WORD_BITS: u32 = 16;
/// Refreshes that a device may be owed at any time.
pub const MOST_POSTPONED: u32 = 8;
/// Refreshes of the start.
pub const START_REFRESHES: u32 = 8;

/// Address bits of the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// 11 to 13.
    pub row_bits: u32,
    /// 8 to 10.
    pub column_bits: u32,
    /// 1 or 2.
    pub bank_bits: u32,
}

/// Timing of the device, in nanoseconds where the name says nothing else.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timing {
    /// From stable supply and clock to the first command.
    pub power_up_us: f64,
    /// Average time per refresh.
    pub refresh_us: f64,
    /// Activate to column command, tRCD.
    pub rcd: f64,
    /// Precharge to activate, tRP.
    pub rp: f64,
    /// Activate to precharge of a bank, tRAS.
    pub ras: f64,
    /// Activate to activate of a bank, tRC.
    pub rc: f64,
    /// Activate to activate of another bank, tRRD.
    pub rrd: f64,
    /// Last written word to precharge, tWR.
    pub wr: f64,
    /// Refresh to the next command, tRFC.
    pub rfc: f64,
    /// Mode register to the next command in cycles, tMRD.
    pub mrd_cycles: u32,
    /// Fastest clock with a CAS latency of 2 and of 3, in MHz.
    pub most_mhz: [f64; 2],
}

/// A controller and the device behind it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SdramConfig {
    /// Clock of controller and device.
    pub clock_mhz: f64,
    /// 2 or 3 cycles.
    pub cas_latency: u32,
    /// Width of the AXI4 port: 32, 64 or 128. A beat is one burst of the device.
    pub port_bits: u32,
    /// Cycles by which the data come later than the CAS latency says: the way to the device and back, 0 to 3.
    pub read_delay: u32,
    /// Refreshes that wait while there is work, 1 to 8.
    pub postponed: u32,
    pub geometry: Geometry,
    pub timing: Timing,
}

/// A field that is not legal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("SDRAM: {field} = {value}; legal: {legal}")]
pub struct SdramError {
    pub field: &'static str,
    pub value: String,
    pub legal: String,
}

/// The timing in cycles, as the controller keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cycles {
    pub power_up: u32,
    pub refresh: u32,
    pub rcd: u32,
    pub rp: u32,
    /// So long that tRC holds too.
    pub ras: u32,
    pub rrd: u32,
    pub wr: u32,
    pub rfc: u32,
    pub mrd: u32,
}

impl SdramConfig {
    /// 32 MiB of 16 bits as on the ULX3S, with the timing of the slower parts (143 MHz grade).
    pub fn ulx3s(clock_mhz: f64, port_bits: u32) -> SdramConfig {
        let timing = Timing {
            power_up_us: 200.0,
            refresh_us: 7.8,
            rcd: 21.0,
            rp: 21.0,
            ras: 49.0,
            rc: 70.0,
            rrd: 14.0,
            wr: 15.0,
            rfc: 70.0,
            mrd_cycles: 2,
            most_mhz: [100.0, 143.0],
        };
        SdramConfig {
            clock_mhz,
            cas_latency: if clock_mhz <= timing.most_mhz[0] { 2 } else { 3 },
            port_bits,
            read_delay: 0,
            postponed: MOST_POSTPONED,
            geometry: Geometry { row_bits: 13, column_bits: 9, bank_bits: 2 },
            timing,
        }
    }

    /// Words of a beat: the burst length of the device.
    pub fn burst(&self) -> u32 {
        self.port_bits / WORD_BITS
    }

    /// Bits of the number of a beat in its row.
    pub fn column_beat_bits(&self) -> u32 {
        self.geometry.column_bits - self.burst().ilog2()
    }

    /// Bits of the number of a beat: row, bank, place in the row.
    pub fn beat_address_bits(&self) -> u32 {
        self.geometry.row_bits + self.geometry.bank_bits + self.column_beat_bits()
    }

    /// Size of the memory.
    pub fn bytes(&self) -> u64 {
        u64::from(WORD_BITS / 8) << (self.geometry.row_bits + self.geometry.bank_bits + self.geometry.column_bits)
    }

    /// The mode register: bursts of the beat's length in sequence, for reads and writes.
    pub fn mode(&self) -> u32 {
        self.cas_latency << 4 | self.burst().ilog2()
    }

    /// The timing, rounded up to cycles (the refresh interval down).
    pub fn cycles(&self) -> Cycles {
        let t = &self.timing;
        let up = |ns: f64| ((ns * self.clock_mhz / 1000.0 - 1e-9).ceil() as u32).max(1);
        let rp = up(t.rp);
        Cycles {
            power_up: up(t.power_up_us * 1000.0),
            refresh: (t.refresh_us * self.clock_mhz) as u32,
            rcd: up(t.rcd),
            rp,
            ras: up(t.ras).max(up(t.rc).saturating_sub(rp)),
            rrd: up(t.rrd),
            wr: up(t.wr),
            rfc: up(t.rfc),
            mrd: t.mrd_cycles.max(1),
        }
    }

    /// The first field that is not legal.
    pub fn check(&self) -> Result<(), SdramError> {
        let (g, t) = (&self.geometry, &self.timing);
        whole("port_bits", self.port_bits, &[32, 64, 128])?;
        whole("cas_latency", self.cas_latency, &[2, 3])?;
        whole("read_delay", self.read_delay, &[0, 1, 2, 3])?;
        whole("postponed", self.postponed, &[1, 2, 3, 4, 5, 6, 7, 8])?;
        whole("geometry.row_bits", g.row_bits, &[11, 12, 13])?;
        whole("geometry.column_bits", g.column_bits, &[8, 9, 10])?;
        whole("geometry.bank_bits", g.bank_bits, &[1, 2])?;
        whole("timing.mrd_cycles", t.mrd_cycles, &[1, 2, 3, 4])?;
        let most = t.most_mhz[self.cas_latency as usize - 2];
        within("clock_mhz", self.clock_mhz, 10.0, most)?;
        within("timing.power_up_us", t.power_up_us, 0.1, 1000.0)?;
        within("timing.refresh_us", t.refresh_us, 1.0, 100.0)?;
        let spans = [
            ("timing.rcd", t.rcd),
            ("timing.rp", t.rp),
            ("timing.ras", t.ras),
            ("timing.rc", t.rc),
            ("timing.rrd", t.rrd),
            ("timing.wr", t.wr),
            ("timing.rfc", t.rfc),
        ];
        spans.into_iter().try_for_each(|(field, ns)| within(field, ns, 1.0, 150.0))?;
        // A refresh and what goes before it must leave half of the time for work.
        let c = self.cycles();
        let least = f64::from(2 * (c.ras + c.wr + c.rp + c.rfc + 2 * self.burst())) / self.clock_mhz;
        within("timing.refresh_us", t.refresh_us, least, 100.0)
    }
}

fn whole(field: &'static str, value: u32, legal: &[u32]) -> Result<(), SdramError> {
    match legal.contains(&value) {
        true => Ok(()),
        false => {
            let legal: Vec<String> = legal.iter().map(u32::to_string).collect();
            Err(SdramError { field, value: value.to_string(), legal: legal.join(", ") })
        }
    }
}

fn within(field: &'static str, value: f64, least: f64, most: f64) -> Result<(), SdramError> {
    match (least..=most).contains(&value) {
        true => Ok(()),
        false => Err(SdramError { field, value: value.to_string(), legal: format!("{least} to {most}") }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timing_is_rounded_up_and_keeps_the_row_cycle() {
        let c = SdramConfig::ulx3s(143.0, 32).cycles();
        assert_eq!((c.rcd, c.rp, c.ras, c.rrd, c.wr, c.rfc), (4, 4, 8, 3, 3, 11));
        let slow = SdramConfig::ulx3s(100.0, 32);
        assert_eq!((slow.cas_latency, slow.cycles().power_up, slow.cycles().refresh), (2, 20_000, 780));
        assert_eq!(slow.bytes(), 32 << 20);
        let mut long = slow;
        long.timing.rc = 90.0;
        assert_eq!(long.cycles().ras + long.cycles().rp, 9);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let said = |change: fn(&mut SdramConfig)| {
            let mut config = SdramConfig::ulx3s(100.0, 32);
            assert_eq!(config.check(), Ok(()));
            change(&mut config);
            config.check().unwrap_err().to_string()
        };
        assert_eq!(said(|c| c.port_bits = 16), "SDRAM: port_bits = 16; legal: 32, 64, 128");
        assert_eq!(said(|c| c.clock_mhz = 120.0), "SDRAM: clock_mhz = 120; legal: 10 to 100");
        assert_eq!(said(|c| c.geometry.column_bits = 11), "SDRAM: geometry.column_bits = 11; legal: 8, 9, 10");
        assert_eq!(said(|c| c.timing.rp = f64::NAN), "SDRAM: timing.rp = NaN; legal: 1 to 150");
        assert_eq!(said(|c| c.postponed = 0), "SDRAM: postponed = 0; legal: 1, 2, 3, 4, 5, 6, 7, 8");
    }
}
