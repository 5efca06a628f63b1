//! The browser's side of a cookie, through the public API only.

#[cfg(test)]
mod corpus;
