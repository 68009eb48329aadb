// SPDX-License-Identifier: MIT OR Apache-2.0
//! What each key of a configuration may be, taken alone: for the checks and for messages about wrong types.

use std::fmt;

use super::validate::{DVFS_ENTRIES, LANES, PORT_BITS, SIZE_MIB_MAX};

/// The legal values of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Legal {
    OneOf(&'static [u32]),
    /// From the first to the second.
    Within(u32, u32),
    /// The powers of two from the first to the second.
    PowerOfTwo(u32, u32),
    /// What is no whole number, in words.
    Words(&'static str),
}

/// Every key of a configuration with its legal values. Keys depend on each other too: see `Config::validate`.
const KEYS: [(&str, Legal); 18] = [
    ("name", Legal::Words("1 to 32 of a-z, 0-9 and _, with a letter first")),
    ("clock_mhz", Legal::Words("a finite number above 0")),
    ("formats", Legal::Words("at least one of q8_0, q4_0, q4_1, q5_0, each at most once")),
    ("counters", Legal::Words("true or false")),
    ("compact", Legal::Words("true or false")),
    ("array.lanes", Legal::OneOf(&LANES)),
    ("array.columns", Legal::Within(1, 8)),
    ("array.lut_lanes", Legal::Within(0, 32)),
    ("memory.port_bits", Legal::OneOf(&PORT_BITS)),
    ("memory.fifo_beats", Legal::PowerOfTwo(16, 1024)),
    ("memory.burst_beats", Legal::PowerOfTwo(1, 256)),
    ("memory.latency_cycles", Legal::Within(1, 1000)),
    ("memory.size_mib", Legal::Within(1, SIZE_MIB_MAX)),
    ("activations.blocks", Legal::PowerOfTwo(8, 1024)),
    ("power.columns_per_domain", Legal::Within(0, 8)),
    ("power.switch_stages", Legal::Within(1, 8)),
    ("power.dvfs_entries", Legal::OneOf(&DVFS_ENTRIES)),
    ("power.clock_limits", Legal::Words("8 clock codes from 0 to 63, none below the one before")),
];

/// Every key, dotted.
pub fn keys() -> impl Iterator<Item = &'static str> {
    KEYS.iter().map(|(key, _)| *key)
}

/// What this dotted key may be; `None` if there is no such key.
pub fn legal(key: &str) -> Option<Legal> {
    KEYS.iter().find(|(known, _)| *known == key).map(|(_, legal)| *legal)
}

impl Legal {
    /// Whether a whole number is among these values.
    pub(super) fn holds(self, value: u32) -> bool {
        match self {
            Legal::OneOf(values) => values.contains(&value),
            Legal::Within(low, high) => (low..=high).contains(&value),
            Legal::PowerOfTwo(low, high) => value.is_power_of_two() && (low..=high).contains(&value),
            Legal::Words(_) => false,
        }
    }
}

impl fmt::Display for Legal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Legal::OneOf(values) => write!(f, "one of {}", values.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")),
            Legal::Within(low, high) => write!(f, "from {low} to {high}"),
            Legal::PowerOfTwo(low, high) => write!(f, "a power of two from {low} to {high}"),
            Legal::Words(words) => f.write_str(words),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::json_schema;
    use serde_json::{Value, json};

    /// The schema of a dotted key.
    fn property<'a>(schema: &'a Value, key: &str) -> &'a Value {
        match key.split_once('.') {
            None => &schema["properties"][key],
            Some((table, field)) => {
                let reference = schema["properties"][table]["$ref"].as_str().unwrap();
                &schema.pointer(reference.trim_start_matches('#')).unwrap()["properties"][field]
            }
        }
    }

    #[test]
    fn the_schema_says_the_same() {
        let schema: Value = serde_json::from_str(&json_schema()).unwrap();
        for (key, legal) in KEYS {
            let property = property(&schema, key);
            let description = property["description"].as_str().unwrap();
            match legal {
                Legal::OneOf(values) => assert_eq!(property["enum"], json!(values), "{key}"),
                Legal::Within(low, high) => assert_eq!((&property["minimum"], &property["maximum"]), (&json!(low), &json!(high)), "{key}"),
                Legal::PowerOfTwo(low, high) => {
                    assert_eq!((&property["minimum"], &property["maximum"]), (&json!(low), &json!(high)), "{key}");
                    assert!(description.contains("a power of two"), "{key}");
                }
                Legal::Words(_) => assert!(property.is_object(), "{key}"),
            }
        }
    }
}
