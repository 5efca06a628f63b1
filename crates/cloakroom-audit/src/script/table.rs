//! A table of the file with its name, whose values are asked for by kind.

use super::error::{ScriptError, line_of, nearest};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value with the place where it stands.
pub(super) type Found<'t> = &'t Spanned<DeValue<'t>>;

#[derive(Clone)]
pub(super) struct Table<'t> {
    /// As it stands in brackets; empty for the file itself.
    name: String,
    source: &'t str,
    line: usize,
    map: &'t DeTable<'t>,
}

impl<'t> Table<'t> {
    pub(super) const fn top(source: &'t str, map: &'t DeTable<'t>) -> Self {
        Self { name: String::new(), source, line: 1, map }
    }

    fn below(&self, key: &str, found: Found<'t>, map: &'t DeTable<'t>) -> Self {
        let name =
            if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) };
        Self { name, source: self.source, line: self.line_at(found.span().start), map }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Refuses every other key.
    pub(super) fn known(&self, keys: &[&str]) -> Result<(), ScriptError> {
        let mut found: Vec<_> = self.map.keys().collect();
        found.sort_by_key(|key| key.span().start);
        let unknown = found.into_iter().find(|key| !keys.contains(&key.get_ref().as_ref()));
        let Some(key) = unknown else { return Ok(()) };
        let name = key.get_ref();
        let remedy = match nearest(name, keys) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known are: {}", keys.join(", ")),
        };
        let place =
            if self.name.is_empty() { String::new() } else { format!(" of [{}]", self.name) };
        let what = format!("`{name}` is no key{}", if place.is_empty() { " here" } else { &place });
        Err(ScriptError::new(self.line_at(key.span().start), what, remedy))
    }

    pub(super) fn get(&self, key: &str) -> Option<Found<'t>> {
        self.map.get(key)
    }

    /// Every entry, as they stand in the file.
    pub(super) fn entries(&self) -> Vec<(&'t str, Found<'t>)> {
        let mut entries: Vec<_> = self.map.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        entries.into_iter().map(|(key, value)| (key.get_ref().as_ref(), value)).collect()
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<&'t str>, ScriptError> {
        self.of_kind(key, "a text in quotes", DeValue::as_str)
    }

    pub(super) fn needed_text(&self, key: &str) -> Result<String, ScriptError> {
        self.text(key)?.map(str::to_owned).ok_or_else(|| self.missing(key))
    }

    pub(super) fn flag(&self, key: &str) -> Result<bool, ScriptError> {
        Ok(self.of_kind(key, "`true` or `false`", DeValue::as_bool)?.unwrap_or_default())
    }

    pub(super) fn number(&self, key: &str) -> Result<Option<u32>, ScriptError> {
        self.of_kind(key, "a whole number", whole)
    }

    /// One number or a list of them.
    pub(super) fn statuses(&self, key: &str) -> Result<Vec<u16>, ScriptError> {
        let one = |value: &DeValue<'_>| whole(value).and_then(|number| u16::try_from(number).ok());
        let read = |value: &DeValue<'_>| match value.as_array() {
            Some(list) => list.iter().map(|value| one(value.get_ref())).collect(),
            None => one(value).map(|status| vec![status]),
        };
        Ok(self.of_kind(key, "a status such as 200, or a list of them", read)?.unwrap_or_default())
    }

    /// One text or a list of them.
    pub(super) fn texts(&self, key: &str) -> Result<Vec<String>, ScriptError> {
        let owned = |value: &DeValue<'_>| value.as_str().map(str::to_owned);
        let read = |value: &DeValue<'_>| match value.as_array() {
            Some(list) => list.iter().map(|value| owned(value.get_ref())).collect(),
            None => owned(value).map(|text| vec![text]),
        };
        Ok(self.of_kind(key, "a text, or a list of them", read)?.unwrap_or_default())
    }

    pub(super) fn table(&self, key: &str) -> Result<Option<Self>, ScriptError> {
        let Some(found) = self.get(key) else { return Ok(None) };
        match found.get_ref().as_table() {
            Some(map) => Ok(Some(self.below(key, found, map))),
            None => Err(self.wrong(key, format!("`{key}` is no table"), format!("write [{key}]"))),
        }
    }

    pub(super) fn needed_table(&self, key: &str) -> Result<Self, ScriptError> {
        self.table(key)?.ok_or_else(|| self.missing(key))
    }

    /// `[key]` or each `[[key]]`.
    pub(super) fn tables(&self, key: &str) -> Result<Vec<Self>, ScriptError> {
        let Some(list) = self.get(key).and_then(|found| found.get_ref().as_array()) else {
            return Ok(self.table(key)?.into_iter().collect());
        };
        let mut tables = Vec::new();
        for found in list.iter() {
            let Some(map) = found.get_ref().as_table() else {
                return Err(self.wrong(
                    key,
                    format!("`{key}` is no table"),
                    format!("write [[{key}]]"),
                ));
            };
            tables.push(self.below(key, found, map));
        }
        Ok(tables)
    }

    /// A duration: a number with `s`, `m`, `h` or `d` behind it.
    pub(super) fn duration(&self, key: &str) -> Result<Option<std::time::Duration>, ScriptError> {
        let seconds = |value: &DeValue<'_>| {
            let text = value.as_str()?;
            let digits = text.trim_end_matches(|c: char| c.is_ascii_lowercase());
            let factor = match text.get(digits.len()..)? {
                "s" => 1,
                "m" => 60,
                "h" => 3_600,
                "d" => 86_400,
                _ => return None,
            };
            digits.parse::<u32>().ok().map(|number| u64::from(number) * factor)
        };
        let found =
            self.of_kind(key, "a duration such as \"90s\", \"30m\", \"12h\" or \"7d\"", seconds)?;
        Ok(found.map(std::time::Duration::from_secs))
    }

    fn of_kind<T>(
        &self,
        key: &str,
        wanted: &str,
        read: impl Fn(&'t DeValue<'t>) -> Option<T>,
    ) -> Result<Option<T>, ScriptError> {
        let Some(found) = self.get(key) else { return Ok(None) };
        let wrong = || {
            self.wrong(
                key,
                format!("`{key}` has a value of another kind"),
                format!("write {wanted}"),
            )
        };
        read(found.get_ref()).map(Some).ok_or_else(wrong)
    }

    pub(super) fn missing(&self, key: &str) -> ScriptError {
        let (what, remedy) = match self.name.as_str() {
            "" => (
                format!("`{key}` is missing"),
                String::from("a script has an origin, [login] and [whoami]"),
            ),
            name => (format!("[{name}] has no `{key}`"), format!("add `{key} = ...` to it")),
        };
        ScriptError::new(self.line, what, remedy)
    }

    /// An error at the value of a key, or at the table if it has none.
    pub(super) fn wrong(
        &self,
        key: &str,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> ScriptError {
        let line = self.get(key).map_or(self.line, |found| self.line_at(found.span().start));
        ScriptError::new(line, what, remedy)
    }

    fn line_at(&self, at: usize) -> usize {
        line_of(self.source, at)
    }
}

fn whole(value: &DeValue<'_>) -> Option<u32> {
    let number = value.as_integer()?;
    u32::from_str_radix(number.as_str(), number.radix()).ok()
}
