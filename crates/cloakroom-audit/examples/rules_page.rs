//! Prints `docs/audit-rules.md`.

use std::io::{self, Write as _};

fn main() -> io::Result<()> {
    io::stdout().write_all(cloakroom_audit::rules_page().as_bytes())
}
