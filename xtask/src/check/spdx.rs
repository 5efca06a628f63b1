//! Licence expressions, as far as crates write them.

use std::collections::VecDeque;

/// Whether an SPDX expression can be met with the licences that `allows` accepts. The slash of old manifests reads as
/// `OR`; an exception belongs to its licence (`Apache-2.0 WITH LLVM-exception` is one name). The error is a sentence.
pub(super) fn is_met(expression: &str, allows: &dyn Fn(&str) -> bool) -> Result<bool, String> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut reader = Reader { words: spaced.split_whitespace().collect(), allows };
    let met = reader.alternatives().and_then(|met| reader.end().map(|()| met));
    met.map_err(|why| format!("`{expression}` is not understood: {why}"))
}

/// Both sides of every operator are read, so that a broken one is never overlooked.
struct Reader<'a> {
    words: VecDeque<&'a str>,
    allows: &'a dyn Fn(&str) -> bool,
}

impl Reader<'_> {
    fn alternatives(&mut self) -> Result<bool, String> {
        let mut met = self.conjunction()?;
        while self.takes("OR") {
            met |= self.conjunction()?;
        }
        Ok(met)
    }

    /// `AND` binds closer than `OR`.
    fn conjunction(&mut self) -> Result<bool, String> {
        let mut met = self.single()?;
        while self.takes("AND") {
            met &= self.single()?;
        }
        Ok(met)
    }

    fn single(&mut self) -> Result<bool, String> {
        if self.takes("(") {
            let met = self.alternatives()?;
            return if self.takes(")") { Ok(met) } else { Err("`)` is missing".to_owned()) };
        }
        let name = self.name()?;
        match self.takes("WITH") {
            true => Ok((self.allows)(&format!("{name} WITH {}", self.name()?))),
            false => Ok((self.allows)(&name)),
        }
    }

    fn name(&mut self) -> Result<String, String> {
        match self.words.pop_front() {
            Some(word @ ("(" | ")" | "OR" | "AND" | "WITH")) => {
                Err(format!("`{word}` is out of place"))
            }
            Some(name) => Ok(name.to_owned()),
            None => Err("a name is missing at its end".to_owned()),
        }
    }

    fn takes(&mut self, expected: &str) -> bool {
        let is_next = self.words.front() == Some(&expected);
        if is_next {
            self.words.pop_front();
        }
        is_next
    }

    fn end(&self) -> Result<(), String> {
        match self.words.front() {
            None => Ok(()),
            Some(word) => Err(format!("`{word}` is out of place")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(expression: &str) -> Result<bool, String> {
        let allowed = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "Unicode-3.0"];
        is_met(expression, &|name| allowed.contains(&name))
    }

    #[test]
    fn one_allowed_alternative_is_enough_and_every_part_is_needed() {
        for (expression, expected) in [
            ("MIT", true),
            ("MIT OR GPL-3.0-only", true),
            ("GPL-3.0-only/MIT", true),
            ("MIT AND GPL-3.0-only", false),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
            ("(MIT OR Apache-2.0) AND (GPL-3.0-only OR LGPL-3.0-only)", false),
            ("GPL-3.0-only AND LGPL-3.0-only OR MIT", true),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("MIT WITH LLVM-exception", false),
            ("GPL-3.0-only", false),
        ] {
            assert_eq!(met(expression), Ok(expected), "{expression}");
        }
    }

    #[test]
    fn a_broken_expression_is_an_error_and_not_a_refusal() {
        for expression in
            ["", "MIT OR", "OR MIT", "(MIT", "MIT)", "MIT Apache-2.0", "MIT WITH", "MIT OR AND"]
        {
            assert!(met(expression).is_err(), "{expression}");
        }
    }
}
