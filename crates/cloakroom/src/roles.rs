//! The names of a user's roles. They live in the record, so that what an operator withdraws is gone
//! at the user's next request, in every session.

use crate::error::Result;
use crate::store::{Ops, Record};
use crate::visit::ROLES;

/// The names of a user's roles.
///
/// ```
/// let roles = cloakroom::Roles::default();
/// assert!(!roles.contains("staff"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roles(Vec<String>);

impl Roles {
    /// What the record says; roles that cannot be read are none.
    pub(crate) fn of(record: &Record) -> Self {
        let names = record.fields().get(ROLES.as_str());
        Self(names.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default())
    }

    /// Whether the user has this role.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|role| role == name)
    }

    /// The names.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

/// A role that a route may ask for by type.
///
/// ```
/// struct Staff;
/// impl cloakroom::Role for Staff {
///     const NAME: &'static str = "staff";
/// }
/// assert_eq!(<Staff as cloakroom::Role>::NAME, "staff");
/// ```
pub trait Role: Send + Sync + 'static {
    /// The name under which the role is given at sign-in.
    const NAME: &'static str;
}

/// The change that gives a user these roles and no others.
pub(crate) fn replaced_by(names: &[&str]) -> Result<Ops> {
    let mut ops = Ops::new();
    ops.set(ROLES, &names)?;
    Ok(ops)
}
