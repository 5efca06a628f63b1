//! Reports in every format: to their schemas, without a secret, and whatever a server calls its cookies.
#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml lets tests panic, and means test functions only, not what they share"
)]

use cloakroom_audit::{
    Declared, Detail, Exchange, Facts, Format, Look, Observed, Probe, RULES, Report, Saved,
    Suppressions, coverage,
};
use serde_json::Value;
use std::collections::BTreeSet;

const NOW: u64 = 1_790_000_000;
const TOKEN: &str = "q8Zr31LkP0vTn5YxBm2Wgk";

fn page(url: &str, cookies: &[&str]) -> Exchange {
    let mut page = Exchange::new("GET", url, 200, NOW).unwrap();
    page.probe = Probe::Visit;
    page.response.push("Content-Type", "text/html; charset=utf-8");
    cookies.iter().for_each(|line| page.response.push("Set-Cookie", *line));
    page
}

fn facts() -> Facts {
    Facts {
        target: "https://shop.example/?sid=1".to_owned(),
        begun: NOW,
        ended: NOW + 3,
        requests: 2,
        notes: vec!["robots.txt forbids /admin".to_owned()],
        stopped: Some("stopped by Ctrl-C".to_owned()),
        ..Facts::default()
    }
}

/// A report with something in every place: findings of all kinds, a baseline, suppressions, changes.
fn full() -> Report {
    let session = format!("connect.sid={TOKEN}; Path=/; HttpOnly");
    let pages = vec![
        page("https://shop.example/", &[&session, "theme=dark; Max-Age=+60", "_ga=1"]),
        page("https://shop.example/cart", &[&session.replace("Path=/", "Path=/cart")]),
    ];
    let observed = Observed::new(pages, Declared::default());
    let first = Report::new(&observed, facts());
    let fewer =
        Observed::new(vec![page("https://shop.example/", &["lang=en"])], Declared::default());
    let last = Report::new(&fewer, facts()).to_json();
    let baseline = first.to_json().replacen("\"severity\": \"medium\"", "\"severity\": \"low\"", 1);
    let rows = "[[suppress]]\nrule = \"C08\"\nsubject = \"theme\"\nreason = \"agreed\"\nuntil = 2027-01-31\n\
                [[suppress]]\nrule = \"C14\"\nsubject = \"theme\"\nreason = \"soon\"\nuntil = 2026-01-31\n";
    first
        .with_baseline(&Saved::read(&baseline).unwrap())
        .with_suppressions(&Suppressions::read(rows).unwrap(), NOW)
        .since(&Saved::read(&last).unwrap())
}

fn empty() -> Report {
    Report::new(&Observed::new(Vec::new(), Declared::default()), Facts::default())
}

fn written(report: &Report, format: Format) -> String {
    report.write(format, &Look { colour: false, width: 80, detail: Detail::Verbose })
}

/// What a document breaks of a schema.
fn broken(schema: &Value, document: &str) -> Vec<String> {
    let document: Value = serde_json::from_str(document).unwrap();
    let validator = jsonschema::options().should_validate_formats(true).build(schema).unwrap();
    let errors = validator.iter_errors(&document);
    errors.map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// The schema, but with no room for what it does not name.
fn closed(mut schema: Value) -> Value {
    match &mut schema {
        Value::Object(map) => {
            if map.contains_key("properties") && map.get("type") == Some(&"object".into()) {
                map.insert("additionalProperties".to_owned(), false.into());
            }
            map.iter_mut().for_each(|(_, value)| *value = closed(value.take()));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| *value = closed(value.take())),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    schema
}

#[test]
fn the_json_keeps_to_its_schema_which_names_every_field() {
    let schema: Value =
        serde_json::from_str(include_str!("../../../docs/audit-report.schema.json")).unwrap();
    let closed = closed(schema);

    for report in [full(), empty()] {
        assert_eq!(broken(&closed, &report.to_json()), Vec::<String>::new());
    }
    let other = full().to_json().replacen("\"schema\": 1", "\"schema\": 2", 1);
    assert!(!broken(&closed, &other).is_empty());
}

#[test]
fn the_sarif_keeps_to_the_schema_of_its_standard() {
    let mut schema: Value =
        serde_json::from_str(include_str!("../../../testdata/sarif/sarif-schema-2.1.0.json"))
            .unwrap();
    // The pattern of this field, which is not written, has a bracket that only some readers take.
    for part in ["run", "toolComponent"] {
        schema["definitions"][part]["properties"]["language"] = Value::Bool(false);
    }

    for report in [full(), empty()] {
        assert_eq!(broken(&schema, &report.to_sarif()), Vec::<String>::new());
    }
    let other = full().to_sarif().replacen("\"level\": \"error\"", "\"level\": \"bad\"", 1);
    assert!(!broken(&schema, &other).is_empty());
}

#[test]
fn the_sarif_tells_each_finding_with_its_request_and_what_became_of_it() {
    let report = full();
    let log: Value = serde_json::from_str(&report.to_sarif()).unwrap();

    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), report.findings().len());
    for (result, found) in results.iter().zip(report.findings()) {
        assert_eq!(result["partialFingerprints"]["cloakroom/v1"], found.fingerprint);
        assert_eq!(result["webResponse"]["statusCode"], 200);
        let file = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
        assert!(file.as_str().is_some_and(|file| file.starts_with("shop.example")), "{file}");
        assert!(
            result["webRequest"]["target"].as_str().unwrap().starts_with("https://shop.example/")
        );
        assert_eq!(result["suppressions"].as_array().unwrap().is_empty(), found.standing.counts());
    }
    for row in run["tool"]["driver"]["rules"].as_array().unwrap() {
        assert!(row["helpUri"].as_str().is_some_and(|uri| uri.starts_with("https://")), "{row}");
        assert!(row["help"]["text"].as_str().is_some_and(|text| text.contains("How to mend it")));
    }
    assert_eq!(run["invocations"][0]["executionSuccessful"], false);
}

#[test]
fn the_sarif_points_at_the_login_script_if_there_is_one() {
    let observed =
        Observed::new(vec![page("https://shop.example/", &["a=1"])], Declared::default());
    let facts = Facts { script: Some("audit/log in.toml".to_owned()), ..facts() };

    let log: Value = serde_json::from_str(&Report::new(&observed, facts).to_sarif()).unwrap();

    let place = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "audit/log%20in.toml");
}

#[test]
fn the_junit_has_a_case_for_each_rule_and_for_an_audit_that_was_not_done() {
    let report = full();
    let text = report.to_junit();
    let document = roxmltree::Document::parse(&text).unwrap();

    let cases: Vec<_> =
        document.descendants().filter(|node| node.has_tag_name("testcase")).collect();
    let with = |name: &str| {
        cases.iter().filter(|case| case.children().any(|c| c.has_tag_name(name))).count()
    };
    assert_eq!(cases.len(), RULES.len() + 1);
    assert_eq!(with("skipped"), report.tally().not_decided);
    assert_eq!(with("error"), 1);
    let failing: BTreeSet<_> = report.failing().map(|found| found.rule.id).collect();
    assert!(!failing.is_empty());
    assert_eq!(with("failure"), failing.len());
    let suite = document.descendants().find(|node| node.has_tag_name("testsuite")).unwrap();
    assert_eq!(suite.attribute("failures"), Some(failing.len().to_string().as_str()));
    assert_eq!(suite.attribute("tests"), Some(cases.len().to_string().as_str()));
}

#[test]
fn the_page_is_closed_in_itself_and_needs_nothing_from_elsewhere() {
    for report in [full(), empty()] {
        let text = report.to_html();
        let page = well_formed(&text);

        for node in page.descendants().filter(roxmltree::Node::is_element) {
            let name = node.tag_name().name();
            assert!(
                !["script", "img", "link", "iframe", "object", "form"].contains(&name),
                "{name}"
            );
            for attribute in node.attributes() {
                let (key, value) = (attribute.name(), attribute.value());
                assert!(
                    !key.starts_with("on") && !["src", "style", "srcset"].contains(&key),
                    "{key}"
                );
                assert!(
                    key != "href" || value.starts_with('#') || value.starts_with("https://"),
                    "{value}"
                );
            }
        }
        for link in page.descendants().filter_map(|node| node.attribute("href")) {
            let found = |id: &str| page.descendants().any(|node| node.attribute("id") == Some(id));
            assert!(link.strip_prefix('#').is_none_or(found), "{link} leads nowhere");
        }
        assert!(!text.contains("@import") && !text.contains("url("));
    }
}

fn well_formed(text: &str) -> roxmltree::Document<'_> {
    let options =
        roxmltree::ParsingOptions { allow_dtd: true, ..roxmltree::ParsingOptions::default() };
    roxmltree::Document::parse_with_options(text, options).unwrap()
}

#[test]
fn every_format_tells_the_findings_and_what_was_not_decided_and_why() {
    let report = full();
    let why = report.not_decided()[0].0.to_lowercase();
    let first = &report.counting().next().unwrap().rule;

    for format in Format::ALL {
        let text = written(&report, format).split_whitespace().collect::<Vec<_>>().join(" ");
        let text = text.to_lowercase();

        assert!(text.contains(&first.title.to_lowercase()), "{}", format.as_str());
        assert!(
            text.contains(&why.replace(":", "&#58;")) || text.contains(&why),
            "{}: {why}",
            format.as_str()
        );
        assert!(text.contains("robots.txt forbids /admin"), "{}", format.as_str());
        assert!(text.contains("stopped by ctrl"), "{}", format.as_str());
    }
}

#[test]
fn each_rule_that_a_row_of_a_standard_names_exists() {
    let known: BTreeSet<&str> = RULES.iter().map(|rule| rule.id).collect();

    for row in coverage() {
        for id in row.tested.rules() {
            assert!(
                known.contains(id),
                "{} {}: there is no rule {id}",
                row.standard.as_str(),
                row.id
            );
        }
        assert!(row.text.ends_with('.'), "{}", row.id);
        assert!(!row.tested.rules().is_empty() || row.tested.left().is_some(), "{}", row.id);
    }
    let ids: BTreeSet<_> = coverage().iter().map(|row| (row.standard.as_str(), row.id)).collect();
    assert_eq!(ids.len(), coverage().len(), "a row stands there twice");
}

#[test]
fn files_of_any_content_are_read_or_refused() {
    let report = full();
    let rows =
        "[[suppress]]\nrule = \"C01\"\nsubject = \"a\"\nreason = \"b\"\nuntil = 2027-01-31\n";
    let pieces =
        ["\u{1b}[2J", "\n", "\"", "\\u001b", "{", "]", "[[suppress]]", "9", "\u{202e}", "="];
    let mut seed = 0x5EED_0002_u64;
    let mut below = |end: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(seed >> 33).unwrap() % end
    };

    for turn in 0..300 {
        let mut texts = [report.to_json(), rows.to_owned()];
        for text in &mut texts {
            for _ in 0..=below(3) {
                let at = boundary(text, below(text.len()));
                let end = boundary(text, at + below(6)).max(at);
                text.replace_range(at..end, pieces[below(pieces.len())]);
            }
        }
        let [saved, rows] = texts;
        let mut compared = report.clone();
        if let Ok(saved) = Saved::read(&saved) {
            compared = compared.with_baseline(&saved).since(&saved);
        }
        if let Ok(rows) = Suppressions::read(&rows) {
            compared = compared.with_suppressions(&rows, NOW);
        }

        let text = written(&compared, Format::Terminal);

        let odd = text.chars().find(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}');
        assert_eq!(odd, None, "turn {turn}: {saved}\n{rows}");
    }
}

/// The last place up to `at` where a text may be cut.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default()
}
