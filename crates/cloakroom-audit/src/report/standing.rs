//! Whether a finding counts.

use super::moment::Day;
use crate::finding::Severity;

/// Whether a finding counts, and why not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// Nobody has said anything about it.
    #[default]
    Open,
    /// The baseline has it.
    Known,
    /// The baseline has it as less severe.
    Worse {
        /// How severe it is there.
        was: Severity,
    },
    /// Somebody said why it may be for now.
    Suppressed {
        /// Why.
        reason: String,
        /// The last day on which that is true.
        until: Day,
    },
    /// Somebody said why it may be, and the day is over.
    Expired {
        /// Why it might be until then.
        reason: String,
        /// The last day on which that was true.
        until: Day,
    },
}

impl Standing {
    pub(super) const SUPPRESSED: &'static str = "suppressed";
    pub(super) const EXPIRED: &'static str = "expired";

    /// Whether it counts.
    pub const fn counts(&self) -> bool {
        match self {
            Self::Open | Self::Worse { .. } | Self::Expired { .. } => true,
            Self::Known | Self::Suppressed { .. } => false,
        }
    }

    /// Its name.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Known => "known",
            Self::Worse { .. } => "worse",
            Self::Suppressed { .. } => Self::SUPPRESSED,
            Self::Expired { .. } => Self::EXPIRED,
        }
    }

    /// What a reader should know about it; `None` if there is nothing to say.
    pub fn sentence(&self) -> Option<String> {
        match self {
            Self::Open => None,
            Self::Known => Some("known from the baseline".to_owned()),
            Self::Worse { was } => Some(format!("in the baseline it was {was}")),
            Self::Suppressed { reason, until } => {
                Some(format!("suppressed until {until}: {reason}"))
            }
            Self::Expired { reason, until } => {
                Some(format!("its suppression expired with {until}, it counts again: {reason}"))
            }
        }
    }
}
