// SPDX-License-Identifier: MIT OR Apache-2.0
//! Configurations as text: TOML, `key=value` settings on top, and the JSON schema for editors.

use super::{Config, ConfigError, legal};
use toml::{Table, Value};

impl Config {
    /// Reads a TOML document; unknown keys and wrong types are errors with a position. Values are not yet
    /// checked, so that settings may still complete the document: see [`Config::validate`].
    pub fn parse_toml(text: &str) -> Result<Config, ConfigError> {
        toml::from_str(text).map_err(|e| ConfigError::Toml(Box::new(e)))
    }

    /// Reads and checks a TOML document.
    pub fn from_toml(text: &str) -> Result<Config, ConfigError> {
        let config = Self::parse_toml(text)?;
        config.validate()?;
        Ok(config)
    }

    /// The TOML document that [`Config::parse_toml`] reads back to an equal value.
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).expect("every field has a TOML form")
    }

    /// Applies `key=value` settings such as `array.lanes=32` or `formats=q8_0,q4_0` in order, then checks the result.
    pub fn with_settings<S: AsRef<str>>(&self, settings: &[S]) -> Result<Config, ConfigError> {
        let mut config = self.clone();
        for setting in settings {
            config = config.with_setting(setting.as_ref())?;
        }
        config.validate()?;
        Ok(config)
    }

    fn with_setting(&self, setting: &str) -> Result<Config, ConfigError> {
        let (key, text) = setting.split_once('=').ok_or_else(|| ConfigError::Setting { setting: setting.into() })?;
        let (key, text) = (key.trim(), text.trim());
        let mut table = self.table();
        let keys = keys(&table, "");
        let slot = find(&mut table, key).filter(|slot| !slot.is_table());
        let slot = slot.ok_or_else(|| ConfigError::Key { key: key.into(), legal: keys.join(", ") })?;
        *slot = parse_value(text, slot);
        table.try_into().map_err(|e: toml::de::Error| ConfigError::SettingValue {
            key: key.into(),
            value: if text.is_empty() { "\"\"".into() } else { text.into() },
            reason: e.message().into(),
            legal: legal(key).map(|legal| legal.to_string()).unwrap_or_default(),
        })
    }

    fn table(&self) -> Table {
        Table::try_from(self).expect("every field of a Config has a TOML form")
    }
}

/// JSON schema of a configuration file, as text.
pub fn json_schema() -> String {
    let mut schema = schemars::schema_for!(Config);
    schema.insert("$comment".into(), "SPDX-License-Identifier: MIT OR Apache-2.0".into());
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema is plain JSON");
    text.push('\n');
    text
}

fn keys(table: &Table, prefix: &str) -> Vec<String> {
    let nested = table.iter().map(|(key, value)| match value {
        Value::Table(inner) => keys(inner, &format!("{prefix}{key}.")),
        _ => vec![format!("{prefix}{key}")],
    });
    nested.flatten().collect()
}

fn find<'a>(table: &'a mut Table, key: &str) -> Option<&'a mut Value> {
    let mut parts = key.split('.');
    let first = table.get_mut(parts.next()?);
    parts.fold(first, |value, part| value?.as_table_mut()?.get_mut(part))
}

/// A value in TOML notation, or the bare text where the old value is a string, or a list of bare words.
fn parse_value(text: &str, old: &Value) -> Value {
    let parsed = format!("v = {text}").parse::<Table>().ok().and_then(|mut table| table.remove("v"));
    match (parsed, old) {
        (Some(value), _) => value,
        (None, Value::Array(_)) => Value::Array(text.split(',').map(|item| Value::String(item.trim().into())).collect()),
        (None, _) => Value::String(text.into()),
    }
}
