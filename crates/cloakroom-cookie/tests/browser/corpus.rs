//! The public test cases of `testdata/cookies`, and every disagreement with them.
//!
//! A file `*cases*.jsonl` that is put into that folder is read with the others. What the standard gives
//! is compared with every file, what Chromium gives with those that Chromium itself was asked about
//! (`journeys/tests/matrix/agreement.rs`).

use cloakroom_cookie::browser::{Address, Browser, Family, Jar, Page, Request, cookie_date};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const NOW: u64 = 1_790_000_000;
const ASKED_IN_CHROMIUM: [&str; 3] =
    ["http-state-cases.jsonl", "http-state-cases-6265bis.jsonl", "wpt-cookie-cases.jsonl"];

/// File, family, name and number of the case among those of this name.
type Key = (String, String, String, usize);

#[test]
fn every_public_case_gives_what_is_expected_or_is_a_known_disagreement() {
    let known = disagreements();
    let mut found = BTreeMap::new();
    let mut count = 0;

    for file in case_files() {
        let name_of_file = file.file_name().unwrap().display().to_string();
        let asked = ASKED_IN_CHROMIUM.contains(&name_of_file.as_str());
        let mut numbers = BTreeMap::new();
        for case in rows(&file) {
            count += 1;
            let name = text(&case, "name");
            let number = *numbers.entry(name.clone()).and_modify(|n| *n += 1).or_insert(0);
            let families: &[_] =
                if asked { &[Family::Standard, Family::Chromium] } else { &[Family::Standard] };
            for &family in families {
                let ours = header(Browser::of(family), &case);
                if ours != text(&case, "expected_cookie_header") {
                    let key = (name_of_file.clone(), family.to_string(), name.clone(), number);
                    found.insert(key, ours);
                }
            }
        }
    }

    println!("{count} cases, {} disagreements", found.len());
    for (key, ours) in found.iter().filter(|(key, ours)| known.get(key) != Some(ours)) {
        println!("not written down: {key:?}: {ours:?}");
    }
    for key in known.keys().filter(|key| !found.contains_key(*key)) {
        println!("written down, but no disagreement: {key:?}");
    }
    assert!(count >= 222 + 222 + 633);
    assert_eq!(found, known);
}

#[test]
fn every_public_date_is_read_as_expected() {
    let dates = rows(&folder().join("http-state-dates.jsonl"));

    for date in &dates {
        let expected = date.get("expected_imf").and_then(Value::as_str).map(|imf| {
            let time = httpdate::parse_http_date(imf).unwrap();
            time.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs().cast_signed()
        });
        let read = cookie_date(text(date, "input").as_bytes());
        assert_eq!(read, expected, "{date}");
    }

    assert_eq!(dates.len(), 70);
}

fn header(browser: Browser, case: &Value) -> String {
    let mut jar = Jar::new(browser, NOW);
    let from = Address::parse(&text(case, "request_url")).unwrap();
    let to = Address::parse(&text(case, "sent_to")).unwrap();
    let by_script = case.get("kind").and_then(Value::as_str) == Some("dom");
    for line in case.get("set_cookies").and_then(Value::as_array).unwrap() {
        let line = line.as_str().unwrap().as_bytes();
        let verdict = if by_script {
            jar.set_by_script(&Page::top(from.clone()), line)
        } else {
            jar.receive(&Request::typed(from.clone()), line)
        };
        assert!(verdict.reasons().iter().all(|reason| !reason.remedy().is_empty()));
    }
    let sent = if by_script {
        jar.read_by_script(&Page::top(to))
    } else {
        jar.header(&Request::typed(to))
    };
    String::from_utf8(sent).unwrap()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/cookies")
}

fn case_files() -> Vec<PathBuf> {
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let is_cases = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.contains("cases") && name.ends_with(".jsonl")
    };
    let mut files: Vec<_> = entries.filter(is_cases).collect();
    files.sort();
    files
}

fn rows(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn text(row: &Value, name: &str) -> String {
    row.get(name).and_then(Value::as_str).unwrap().to_owned()
}

fn disagreements() -> BTreeMap<Key, String> {
    let rows = rows(&folder().join("disagreements.jsonl"));
    let entry = |row: &Value| {
        assert!(text(row, "why").len() > 20, "a disagreement has a reason: {row}");
        let number = row.get("number").and_then(Value::as_u64).unwrap_or_default();
        let key = (text(row, "file"), text(row, "family"), text(row, "name"), number as usize);
        (key, text(row, "ours"))
    };
    rows.iter().map(entry).collect()
}
