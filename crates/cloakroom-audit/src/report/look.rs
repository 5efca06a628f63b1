//! Which format, and how text looks.

/// A format that a report can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Text for a person at a terminal.
    Terminal,
    /// Everything, for programs; later audits read it back.
    Json,
    /// For viewers of code: SARIF 2.1.0.
    Sarif,
    /// For the test pages of build servers.
    Junit,
    /// A page for a browser, in one file.
    Html,
    /// For pull requests and wikis.
    Markdown,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 6] =
        [Self::Terminal, Self::Json, Self::Sarif, Self::Junit, Self::Html, Self::Markdown];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Terminal => "terminal",
            Self::Json => "json",
            Self::Sarif => "sarif",
            Self::Junit => "junit",
            Self::Html => "html",
            Self::Markdown => "markdown",
        }
    }

    /// The format of this name.
    ///
    /// ```
    /// use cloakroom_audit::Format;
    ///
    /// assert_eq!(Format::from_name("json"), Some(Format::Json));
    /// ```
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name)
    }
}

/// How much text says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// A line for each finding that counts.
    Quiet,
    /// Findings with their evidence, and what was not decided.
    #[default]
    Normal,
    /// Also why it matters, how to mend it, and what holds.
    Verbose,
}

/// How text looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Whether colours are written.
    pub colour: bool,
    /// How many columns there are. Sentences are broken there, commands and addresses are not.
    pub width: usize,
    /// How much is said.
    pub detail: Detail,
}

impl Default for Look {
    /// 100 columns without colours.
    fn default() -> Self {
        Self { colour: false, width: 100, detail: Detail::Normal }
    }
}
