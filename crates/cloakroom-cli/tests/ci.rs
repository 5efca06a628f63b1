//! What `docs/guide/audit-in-ci.md` promises: its options, and the reports of earlier audits.
#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml lets tests panic, and means test functions only, not what they share"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const PAGE: &str = include_str!("../../../docs/guide/audit-in-ci.md");

/// A folder of this test's own.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap()
    }

    /// Runs `cloakroom audit` here.
    fn audit(&self, arguments: &[&str]) -> Ended {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cloakroom"));
        let Output { status, stdout, stderr } =
            command.arg("audit").args(arguments).current_dir(&self.0).output().unwrap();
        let text = |octets| String::from_utf8(octets).unwrap();
        Ended { code: status.code(), out: text(stdout), err: text(stderr) }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[derive(Debug)]
struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

/// A recording of one page that sets these cookies.
fn recording(cookies: &[&str]) -> String {
    let sure = ("Strict-Transport-Security", "max-age=63072000");
    let fields = cookies.iter().map(|line| ("Set-Cookie", *line)).chain([sure]);
    let headers: Vec<String> = fields
        .map(|(name, value)| format!("{{\"name\": \"{name}\", \"value\": \"{value}\"}}"))
        .collect();
    format!(
        "{{\"log\": {{\"entries\": [{{\"startedDateTime\": \"2026-09-21T14:13:20Z\", \
         \"request\": {{\"method\": \"GET\", \"url\": \"https://shop.example/\", \"headers\": []}}, \
         \"response\": {{\"status\": 200, \"headers\": [{}], \"content\": {{}}}}}}]}}}}",
        headers.join(", ")
    )
}

const SESSION: &str = "session=q8Zr31LkP0vTn5YxBm2Wgk; Path=/; Secure; SameSite=Lax";
const THEME: &str = "theme=dark; Path=/; HttpOnly; SameSite=Lax";

#[test]
fn every_option_on_the_page_exists() {
    let help = Folder::new("ci-help").audit(&["--help"]).out;

    let joined = PAGE.replace("\\\n", " ");
    let commands: Vec<&str> =
        joined.lines().filter(|line| line.contains("cloakroom audit ")).collect();
    let options: Vec<&str> = commands
        .iter()
        .flat_map(|line| line.split_whitespace())
        .filter(|word| word.starts_with("--"))
        .collect();
    assert!(commands.len() >= 7 && options.len() >= 20, "{commands:?}");
    for option in options {
        assert!(help.contains(option), "{option}: {help}");
    }
}

#[test]
fn what_the_baseline_has_does_not_end_the_job_and_what_is_new_does() {
    let folder = Folder::new("ci-baseline");
    folder.write("recording.har", &recording(&[SESSION]));

    let first = folder.audit(&["--har", "recording.har", "--save", "json=audit-baseline.json"]);
    let second = folder.audit(&["--har", "recording.har", "--baseline", "audit-baseline.json"]);
    folder.write("recording.har", &recording(&[SESSION, THEME]));
    let third = folder.audit(&["--har", "recording.har", "--baseline", "audit-baseline.json"]);

    assert_eq!(first.code, Some(1), "{first:?}");
    assert_eq!(second.code, Some(0), "{second:?}");
    assert!(second.out.contains("known from the baseline"), "{}", second.out);
    assert_eq!(third.code, Some(1), "{third:?}");
}

#[test]
fn a_finding_that_is_put_off_ends_no_job_until_its_day_is_over() {
    let folder = Folder::new("ci-suppressions");
    folder.write("recording.har", &recording(&[THEME]));
    let audit = |until: &str| {
        let row = |rule: &str| {
            format!(
                "[[suppress]]\nrule = \"{rule}\"\nsubject = \"theme\"\nreason = \"agreed\"\nuntil = {until}\n\n"
            )
        };
        folder.write("audit-suppressions.toml", &format!("{}{}", row("C01"), row("C08")));
        folder.audit(&[
            "--har",
            "recording.har",
            "--fail-on",
            "medium",
            "--suppressions",
            "audit-suppressions.toml",
        ])
    };

    // The command's clock is the real one: days that are far from any test.
    let (valid, expired) = (audit("9998-12-31"), audit("2020-01-31"));

    assert_eq!(valid.code, Some(0), "{valid:?}");
    assert!(valid.out.contains("suppressed until 9998-12-31: agreed"), "{}", valid.out);
    assert_eq!(expired.code, Some(1), "{expired:?}");
    assert!(expired.out.contains("expired with 2020-01-31"), "{}", expired.out);
}

#[test]
fn a_file_of_suppressions_without_a_reason_is_refused_with_its_line() {
    let folder = Folder::new("ci-no-reason");
    folder.write("recording.har", &recording(&[THEME]));
    folder.write(
        "put-off.toml",
        "[[suppress]]\nrule = \"C01\"\nsubject = \"theme\"\nreason = \"\"\nuntil = 2027-01-31\n",
    );

    let ended = folder.audit(&["--har", "recording.har", "--suppressions", "put-off.toml"]);

    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.err.contains("put-off.toml: line 4: the reason is empty"), "{}", ended.err);
}

#[test]
fn what_is_new_and_what_is_gone_since_last_night_is_told() {
    let folder = Folder::new("ci-since");
    folder.write("recording.har", &recording(&[SESSION]));
    folder.audit(&["--har", "recording.har", "--save", "json=last.json"]);
    folder.write("recording.har", &recording(&[THEME]));

    let ended = folder.audit(&[
        "--har",
        "recording.har",
        "--since",
        "last.json",
        "--save",
        "json=new.json",
    ]);

    let new: serde_json::Value = serde_json::from_str(&folder.read("new.json")).unwrap();
    let findings = new.get("findings").and_then(|all| all.as_array()).unwrap();
    let is_new =
        |found: &serde_json::Value| found.get("change").is_some_and(|change| change == "new");
    assert!(findings.iter().any(is_new), "{new:#}");
    let gone = new.pointer("/since/gone").and_then(|gone| gone.as_array()).unwrap();
    assert!(gone.iter().any(|old| old.get("subject").is_some_and(|about| about == "session")));
    assert!(ended.out.contains("SINCE 2") && ended.out.contains("gone: "), "{}", ended.out);
}
