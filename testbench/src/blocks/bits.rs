// SPDX-License-Identifier: MIT OR Apache-2.0
//! Values side by side on a wide port.

/// The low `width` bits (up to 64) of each value, the first lowest, as little-endian bytes.
pub fn pack(width: u32, values: impl IntoIterator<Item = u64>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    for value in values {
        for bit in 0..width {
            if at % 8 == 0 {
                out.push(0);
            }
            if value >> bit & 1 == 1
                && let Some(last) = out.last_mut()
            {
                *last |= 1 << (at % 8);
            }
            at += 1;
        }
    }
    out
}

/// `count` bits from bit `from` on, as [`pack`] would give them.
pub fn slice(bytes: &[u8], from: usize, count: usize) -> Vec<u8> {
    pack(1, (from..from + count).map(|bit| u64::from(bytes[bit / 8] >> (bit % 8) & 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_side_by_side() {
        assert_eq!(pack(4, [1, 2, 0xf3]), [0x21, 0x03]);
        assert_eq!(pack(13, [0x1fff, 0, 1]), [0xff, 0x1f, 0, 4, 0]);
        assert_eq!(slice(&[0x21, 0x43], 4, 8), [0x32]);
    }
}
