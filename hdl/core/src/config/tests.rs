// SPDX-License-Identifier: MIT OR Apache-2.0

use super::*;

#[test]
fn presets_are_valid_and_survive_toml() {
    for name in PRESETS {
        let config = Config::preset(name).unwrap();
        config.validate().unwrap();
        assert_eq!(config.name, name);
        assert_eq!(Config::from_toml(&config.to_toml()).unwrap(), config);
    }
}

#[test]
fn each_error_names_field_value_and_what_is_legal() {
    let cases = [
        ("name=Base", "name = \"Base\": must be 1 to 32 of a-z"),
        ("clock_mhz=0", "clock_mhz = 0: must be a finite number above 0"),
        ("clock_mhz=nan", "clock_mhz = NaN"),
        ("formats=[]", "formats = []: must be at least one of q8_0"),
        ("formats=q4_0,q4_0", "formats = [q4_0, q4_0]"),
        ("array.lanes=24", "array.lanes = 24: must be one of 4, 8, 16, 32, 64, 128"),
        ("array.columns=9", "array.columns = 9: must be from 1 to 8"),
        ("memory.port_bits=48", "memory.port_bits = 48: must be one of 32"),
        ("memory.fifo_beats=100", "memory.fifo_beats = 100: must be a power of two from 16 to 1024"),
        ("memory.fifo_beats=64", "memory.fifo_beats = 64: must be at least latency_cycles + burst_beats = 104"),
        ("memory.burst_beats=0", "memory.burst_beats = 0: must be a power of two from 1 to 128"),
        ("memory.latency_cycles=0", "memory.latency_cycles = 0: must be from 1 to 1000"),
        ("memory.size_mib=4096", "memory.size_mib = 4096: must be from 1 to 4095"),
        ("power.columns_per_domain=9", "power.columns_per_domain = 9: must be from 0 to 8"),
        ("power.columns_per_domain=5", "power.columns_per_domain = 5: must be at most 4 with array.columns = 4"),
        ("power.switch_stages=0", "power.switch_stages = 0: must be from 1 to 8"),
        ("power.dvfs_entries=8", "power.dvfs_entries = 8: must be one of 0, 16, 32, 64"),
        ("power.clock_limits=[1,2,3,4,5,4,7,8]", "power.clock_limits = [1, 2, 3, 4, 5, 4, 7, 8]: must be 8 clock codes"),
        ("power.clock_limits=[1,2,3,4,5,6,7,64]", "power.clock_limits = [1, 2, 3, 4, 5, 6, 7, 64]: must be 8 clock codes"),
        ("activations.blocks=2048", "activations.blocks = 2048: must be a power of two from 8 to 1024"),
    ];
    for (setting, expected) in cases {
        let message = Config::base().with_settings(&[setting]).unwrap_err().to_string();
        assert!(message.starts_with(expected), "{setting}: {message}");
    }
}

#[test]
fn a_burst_stays_within_4_kib() {
    let message = Config::wide().with_settings(&["memory.burst_beats=128"]).unwrap_err().to_string();
    assert!(message.contains("from 1 to 64 (4 KiB at 512 bits"), "{message}");
}

#[test]
fn a_group_feeds_the_array() {
    let message = Config::nano().with_settings(&["array.lanes=128"]).unwrap_err().to_string();
    assert_eq!(message, "array.lanes = 128: must be at most 64 with memory.port_bits = 32");
}

#[test]
fn settings_apply_together_and_explain_bad_keys() {
    let config = Config::base().with_settings(&["memory.fifo_beats = 64", "memory.burst_beats=16", "name=mine"]);
    assert_eq!(config.unwrap().memory.burst_beats, 16);
    for key in ["array.lane=4", "array=4", "nothing.at.all=1", "=3"] {
        let message = Config::base().with_settings(&[key]).unwrap_err().to_string();
        assert!(message.contains("must be one of ") && message.contains("array.lanes"), "{message}");
    }
    let message = Config::base().with_settings(&["array.lanes"]).unwrap_err().to_string();
    assert!(message.contains("key=value"), "{message}");
    let message = Config::base().with_settings(&["array.lanes=many"]).unwrap_err().to_string();
    assert!(message.starts_with("array.lanes = many: invalid type"), "{message}");
    let lanes = "expected u32; must be one of 4, 8, 16, 32, 64, 128";
    for (setting, start, legal) in [
        ("array.lanes=-1", "array.lanes = -1: invalid value", lanes),
        ("array.lanes=abc", "array.lanes = abc: invalid type", lanes),
        ("array.lanes=", "array.lanes = \"\": invalid type", lanes),
        ("array.lanes=1.5", "array.lanes = 1.5: invalid type", lanes),
        ("memory.fifo_beats=many", "memory.fifo_beats = many", "must be a power of two from 16 to 1024"),
        ("name=7", "name = 7", "must be 1 to 32 of a-z, 0-9 and _"),
        ("clock_mhz=fast", "clock_mhz = fast", "must be a finite number above 0"),
    ] {
        let message = Config::base().with_settings(&[setting]).unwrap_err().to_string();
        assert!(message.starts_with(start) && message.contains(legal), "{setting}: {message}");
    }
    let message = Config::base().with_settings(&["formats=q9_9"]).unwrap_err().to_string();
    assert!(message.contains("q9_9") && message.contains("q4_1"), "{message}");
}

#[test]
fn unknown_keys_in_a_file_are_refused() {
    let text = Config::nano().to_toml().replace("columns", "colums");
    let message = Config::from_toml(&text).unwrap_err().to_string();
    assert!(message.contains("unknown field `colums`"), "{message}");
}

#[test]
fn digest_depends_on_every_field_but_not_on_the_order_of_formats() {
    let base = Config::base();
    let mut reversed = base.clone();
    reversed.formats.reverse();
    assert_eq!(base.digest(), reversed.digest());
    for setting in ["name=other", "clock_mhz=99.5", "formats=q8_0", "array.lanes=16", "array.columns=2"]
        .into_iter()
        .chain(["memory.port_bits=64", "memory.fifo_beats=256", "memory.burst_beats=32", "memory.latency_cycles=9"])
        .chain(["memory.size_mib=1", "activations.blocks=8"])
    {
        assert_ne!(base.digest(), base.with_settings(&[setting]).unwrap().digest(), "{setting}");
    }
}

#[test]
fn derived_sizes() {
    let (nano, wide) = (Config::nano(), Config::wide());
    assert_eq!((nano.port_bytes(), nano.group_blocks(), nano.cycles_per_block(), nano.blocks_per_cycle()), (4, 2, 8, 1));
    assert_eq!((wide.port_bytes(), wide.group_blocks(), wide.cycles_per_block(), wide.blocks_per_cycle()), (64, 32, 1, 4));
    assert_eq!((nano.padded_blocks(9), wide.padded_blocks(9)), (9, 12));
    assert_eq!((nano.activation_beats(9), wide.activation_beats(12)), ((9, 72), (1, 6)));
    assert_eq!((nano.format_mask(), wide.format_mask()), (0b0011, 0b1111));
}

#[test]
fn schema_lists_the_legal_lanes() {
    let schema: serde_json::Value = serde_json::from_str(&json_schema()).unwrap();
    assert_eq!(schema["$defs"]["Array"]["properties"]["lanes"]["enum"][5], 128);
    assert_eq!(schema["additionalProperties"], false);
}
