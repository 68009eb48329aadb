// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tables of the function unit: quadratic segments, computed in integers when the crate is compiled.
//!
//! A segment maps a 16-bit fraction `t` of its length to a value with [`FRACTION`] fraction bits:
//! `c0 + ((c1 + ((c2 * t) >> 16)) * t >> 16)`, shifts rounding down. The parabola goes through the
//! function at the start, the middle and the end of the segment. Coefficients take 24, 19 and 13 bits
//! signed, so that each product fits one 18 x 18 multiplier.

/// `[c0, c1, c2]`.
pub type Segment = [i32; 3];

/// Fraction bits of a segment's value.
pub const FRACTION: u32 = 22;

/// `2^f`, `f` in 0..1: 32 segments.
pub static EXP2: [Segment; 32] = exp2();
/// `1 / m`, `m` in 1..2: 64 segments.
pub static RECIPROCAL: [Segment; 64] = reciprocal();
/// `1 / sqrt(m)`: 32 segments for `m` in 1..2, then 32 for `m` in 2..4.
pub static RSQRT: [Segment; 64] = rsqrt();
/// `tanh(x) / x` as a function of `t = 16 x^2` in 0..1: one segment.
pub static TANH: Segment = tanh();

/// The value of a segment at `t / 2^16`, `t < 2^16`.
#[inline]
pub fn evaluate([c0, c1, c2]: Segment, t: u32) -> u32 {
    let t = i64::from(t);
    let slope = i64::from(c1) + ((i64::from(c2) * t) >> 16);
    (i64::from(c0) + ((slope * t) >> 16)) as u32
}

/// Fraction bits of the function values from which segments are made.
const FINE: u32 = 40;

/// The parabola through a segment's start, middle and end.
const fn through(start: i64, middle: i64, end: i64) -> Segment {
    let c1 = 4 * middle - 3 * start - end;
    let c2 = 2 * start + 2 * end - 4 * middle;
    [coarse(start), coarse(c1), coarse(c2)]
}

const fn coarse(fine: i64) -> i32 {
    let half = 1 << (FINE - FRACTION - 1);
    ((fine + half) >> (FINE - FRACTION)) as i32
}

const fn exp2() -> [Segment; 32] {
    // 2^(1/64) by six square roots, then its powers; 60 fraction bits.
    let mut root: u128 = 2 << 60;
    let mut i = 0;
    while i < 6 {
        root = (root << 60).isqrt();
        i += 1;
    }
    let mut table = [[0; 3]; 32];
    let mut power: u128 = 1 << 60;
    let mut segment = 0;
    while segment < 32 {
        let middle = (power * root) >> 60;
        let end = (middle * root) >> 60;
        let drop = 60 - FINE;
        table[segment] = through((power >> drop) as i64, (middle >> drop) as i64, (end >> drop) as i64);
        power = end;
        segment += 1;
    }
    table
}

const fn reciprocal() -> [Segment; 64] {
    let mut table = [[0; 3]; 64];
    let mut segment = 0;
    while segment < 64 {
        let at = 128 + 2 * segment as i64;
        let one = 128 << FINE;
        table[segment] = through(one / at, one / (at + 1), one / (at + 2));
        segment += 1;
    }
    table
}

const fn rsqrt() -> [Segment; 64] {
    let mut table = [[0; 3]; 64];
    let mut segment = 0;
    while segment < 64 {
        let octave = (segment >= 32) as u128 + 1;
        let at = 64 + 2 * (segment as u128 % 32);
        let one = 64 << (2 * FINE);
        let start = (one / (octave * at)).isqrt() as i64;
        let middle = (one / (octave * (at + 1))).isqrt() as i64;
        let end = (one / (octave * (at + 2))).isqrt() as i64;
        table[segment] = through(start, middle, end);
        segment += 1;
    }
    table
}

const fn tanh() -> Segment {
    // tanh(x)/x = 1 - z/3 + 2z^2/15 - 17z^3/315 + .., z = t/16. The cubic term becomes the parabola
    // through its values at t = 0, 1/2 and 1: t^3 ~ 1.5 t^2 - 0.5 t, an error of at most 2^-20.
    let one: i64 = 1 << FINE;
    let cubic = one * 17 / (315 << 12);
    let c1 = -(one / 48) + cubic / 2;
    let c2 = one * 2 / (15 << 8) - cubic * 3 / 2;
    [coarse(one), coarse(c1), coarse(c2)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, table: &[Segment], exact: impl Fn(f64) -> f64, bound: f64) {
        let mut worst: f64 = 0.0;
        for (i, segment) in table.iter().enumerate() {
            assert!(segment[0] < 1 << 23 && segment[1].abs() < 1 << 18 && segment[2].abs() < 1 << 12, "{name} {i}: {segment:?}");
            for t in (0..1 << 16).step_by(7) {
                let at = (i as f64 + f64::from(t) / 65536.0) / table.len() as f64;
                let value = f64::from(evaluate(*segment, t)) / 2f64.powi(FRACTION as i32);
                worst = worst.max((value - exact(at)).abs());
            }
        }
        println!("{name}: largest error 2^{:.1}", worst.log2());
        assert!(worst <= bound, "{name}: {worst}");
    }

    #[test]
    fn segments_follow_the_functions() {
        check("exp2", &EXP2, |f| f.exp2(), 2f64.powi(-20));
        check("reciprocal", &RECIPROCAL, |f| 1.0 / (1.0 + f), 2f64.powi(-20));
        check("rsqrt 1..2", &RSQRT[..32], |f| 1.0 / (1.0 + f).sqrt(), 2f64.powi(-20));
        check("rsqrt 2..4", &RSQRT[32..], |f| 1.0 / (2.0 + 2.0 * f).sqrt(), 2f64.powi(-20));
        let root = |t: f64| (t / 16.0).sqrt();
        check("tanh", &[TANH], |t| if t == 0.0 { 1.0 } else { root(t).tanh() / root(t) }, 2f64.powi(-19));
    }

    #[test]
    fn powers_of_two_are_exact() {
        for start in [EXP2[0], RECIPROCAL[0], RSQRT[0], TANH] {
            assert_eq!(evaluate(start, 0), 1 << FRACTION);
        }
    }
}
