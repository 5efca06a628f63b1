//! The cookie as its users see it: through the public API only.

#[cfg(test)]
mod came;
#[cfg(test)]
mod contradictions;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod names;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod went;
