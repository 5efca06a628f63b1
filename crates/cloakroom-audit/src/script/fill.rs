//! Secrets, and where they go: `{name}` in a text.

use super::error::{ScriptError, nearest};
use super::table::Table;
use std::collections::BTreeMap;
use toml::de::DeValue;

/// What stands in front of the name of an environment variable.
const ENV: &str = "env:";

/// The values behind the names of `[secrets]`.
#[derive(Clone, Default)]
pub(super) struct Secrets(BTreeMap<String, String>);

impl Secrets {
    pub(super) fn read(
        top: &Table<'_>,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ScriptError> {
        match top.table("secrets")? {
            Some(table) => Self::default().with(&table, variable),
            None => Ok(Self::default()),
        }
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(String::as_str)
    }

    /// The same names with the values of another user.
    pub(super) fn replaced(
        &self,
        table: &Table<'_>,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ScriptError> {
        let names: Vec<&str> = self.0.keys().map(String::as_str).collect();
        if names.is_empty() || table.entries().is_empty() {
            let remedy = "put the first user's name and password into [secrets], and the other one's under the same names here";
            return Err(table.wrong("", "[second_user] replaces nothing", remedy));
        }
        table.known(&names)?;
        self.clone().with(table, variable)
    }

    fn with(
        mut self,
        table: &Table<'_>,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ScriptError> {
        for (name, _) in table.entries() {
            let text = table.needed_text(name)?;
            let Some(wanted) = text.strip_prefix(ENV) else {
                let what = format!("`{name}` stands in the file itself");
                let remedy = format!("write `{name} = \"env:NAME\"` and set the variable NAME");
                return Err(table.wrong(name, what, remedy));
            };
            let Some(value) = variable(wanted) else {
                let what = format!("the environment variable {wanted} is not set");
                let remedy = format!("set it to the value of `{name}`");
                return Err(table.wrong(name, what, remedy));
            };
            self.0.insert(name.to_owned(), value);
        }
        Ok(self)
    }

    /// The text with each `{name}` replaced; `{{` and `}}` are the characters themselves.
    pub(super) fn fill(
        &self,
        table: &Table<'_>,
        key: &str,
        text: &str,
    ) -> Result<String, ScriptError> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            filled.push_str(before);
            if let Some((brace, behind)) = [("{", "{{"), ("}", "}}")]
                .iter()
                .find_map(|(one, two)| Some((*one, from.strip_prefix(two)?)))
            {
                filled.push_str(brace);
                rest = behind;
                continue;
            }
            let name = from.strip_prefix('{').and_then(|from| from.split_once('}'));
            let Some((name, behind)) = name else {
                let remedy =
                    "write `{name}` for a secret, and `{{` or `}}` for the character itself";
                return Err(table.wrong(key, format!("a brace of `{key}` stands alone"), remedy));
            };
            filled.push_str(self.0.get(name).ok_or_else(|| self.unknown(table, key, name))?);
            rest = behind;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    fn unknown(&self, table: &Table<'_>, key: &str, name: &str) -> ScriptError {
        let names: Vec<&str> = self.0.keys().map(String::as_str).collect();
        let remedy = match nearest(name, &names) {
            Some(near) => format!("did you mean `{{{near}}}`?"),
            None => format!("add `{name} = \"env:NAME\"` to [secrets]"),
        };
        table.wrong(key, format!("`{{{name}}}` is no secret of this script"), remedy)
    }

    /// A value of the file as JSON, with its texts filled.
    pub(super) fn json(
        &self,
        table: &Table<'_>,
        key: &str,
        value: &DeValue<'_>,
    ) -> Result<serde_json::Value, ScriptError> {
        use serde_json::Value;
        Ok(match value {
            DeValue::String(text) => Value::String(self.fill(table, key, text)?),
            DeValue::Boolean(flag) => Value::Bool(*flag),
            DeValue::Integer(number) => serde_json::from_str(number.as_str()).map_err(|_| {
                table.wrong(
                    key,
                    format!("`{key}` holds a number that JSON cannot write"),
                    "write it in decimal digits",
                )
            })?,
            DeValue::Float(number) => serde_json::from_str(number.as_str()).map_err(|_| {
                table.wrong(
                    key,
                    format!("`{key}` holds a number that JSON cannot write"),
                    "write it in decimal digits",
                )
            })?,
            DeValue::Datetime(time) => Value::String(time.to_string()),
            DeValue::Array(list) => {
                let values = list.iter().map(|value| self.json(table, key, value.get_ref()));
                Value::Array(values.collect::<Result<_, _>>()?)
            }
            DeValue::Table(map) => {
                let filled = map.iter().map(|(name, value)| {
                    Ok((name.get_ref().to_string(), self.json(table, key, value.get_ref())?))
                });
                Value::Object(filled.collect::<Result<_, ScriptError>>()?)
            }
        })
    }
}
