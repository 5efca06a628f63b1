//! What a server calls its cookies and pages must not write in a report.
#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml lets tests panic, and means test functions only, not what they share"
)]

use cloakroom_audit::{
    Answer, Confidence, Declared, Detail, Evidence, Exchange, Facts, Finding, Format, Look,
    Observed, Probe, Report, Severity, Suppressions, rule,
};
use serde_json::Value;

const NOW: u64 = 1_790_000_000;

/// Texts that mean something to a browser, an XML reader, a terminal, a build server or a person.
const HOSTILE: [&str; 18] = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"><svg onload=alert(1)>",
    "' onmouseover='alert(1)",
    "</style></pre></td></table><h1>All is well</h1>",
    "]]><failure/><![CDATA[",
    "&lt;b&gt; &amp; &#x3c;script&#x3e;",
    "\u{1b}[2J\u{1b}[31mred\u{1b}]0;title\u{7}",
    "\u{9b}31m\u{8}\u{8}\u{7f}\0",
    "one\r\ntwo\n::error::three\u{85}four\u{2028}five",
    "a\u{202e}gnp.exe\u{2066}b\u{200f}\u{feff}",
    "| cell | [x](javascript:alert(1)) ![y](https://a.example/z) `code` ***",
    "``` \n# Heading\n- @everyone https://a.example www.a.example",
    "$(reboot) `reboot` '; reboot; '",
    "\u{fffe}\u{ffff}\u{e0001}",
    "##vso[task.complete result=Succeeded;] ##teamcity[testFailed]",
    "a ::error::b\n::warning::c",
    "%00%0d%0aSet-Cookie: a=b",
];

/// A report whose every text is `text`.
fn report_of(text: &str) -> Report {
    let finding = |subject: &str, severity| Finding {
        severity,
        confidence: Confidence::Certain,
        subject: subject.to_owned(),
        seen: text.to_owned(),
        expected: text.to_owned(),
        evidence: vec![Evidence {
            request: format!("GET {text}"),
            status: 200,
            seen: text.to_owned(),
            replay: text.to_owned(),
        }],
        places: 1,
    };
    let other = format!("{text}2");
    let answers = vec![
        (
            rule("C01").unwrap(),
            Answer::Broken(vec![finding(text, Severity::High), finding(&other, Severity::Low)]),
        ),
        (rule("C02").unwrap(), Answer::NotDecided { why: text.to_owned() }),
        (rule("C03").unwrap(), Answer::Holds { looked_at: text.to_owned() }),
    ];
    let facts = Facts {
        target: text.to_owned(),
        notes: vec![text.to_owned()],
        stopped: Some(text.to_owned()),
        script: Some(text.to_owned()),
        ..Facts::default()
    };
    let quoted = serde_json::to_string(text).unwrap().replace('\u{7f}', "\\u007F");
    let row = format!(
        "[[suppress]]\nrule = \"C01\"\nfingerprint = \"0000000000000000\"\nreason = {quoted}\nuntil = 2026-01-01\n"
    );
    let suppressions = Suppressions::read(&row).unwrap();
    Report::of_answers(answers, facts).with_suppressions(&suppressions, NOW)
}

fn in_all_formats(report: &Report) -> Vec<(Format, String)> {
    let look = Look { colour: false, width: 80, detail: Detail::Verbose };
    Format::ALL.into_iter().map(|format| (format, report.write(format, &look))).collect()
}

#[test]
fn no_text_of_a_server_moves_a_cursor_turns_a_line_or_begins_one() {
    for hostile in HOSTILE {
        for (format, text) in in_all_formats(&report_of(hostile)) {
            let moves = |c: char| {
                (c.is_control() && c != '\n')
                    || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
                        | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{e0001}')
            };

            assert_eq!(text.chars().find(|c| moves(*c)), None, "{}: {hostile:?}", format.as_str());
            let commands = ["::error::", "##vso[", "##teamcity["];
            let begins =
                |line: &str| commands.iter().any(|command| line.trim_start().starts_with(command));
            assert!(!text.lines().any(begins), "{}: {hostile:?}\n{text}", format.as_str());
        }
    }
}

#[test]
fn the_formats_keep_their_form_whatever_stands_in_them() {
    let plain = report_of("plain");
    let shape = |report: &Report| {
        let html = report.to_html();
        let junit = report.to_junit();
        (elements(&html), elements(&junit))
    };
    let expected = shape(&plain);

    for hostile in HOSTILE {
        let report = report_of(hostile);

        assert_eq!(shape(&report), expected, "{hostile:?}");
        for text in [report.to_json(), report.to_sarif()] {
            assert!(serde_json::from_str::<Value>(&text).is_ok(), "{hostile:?}");
        }
    }
}

/// The names of all elements in their order: markup in a text would add one.
fn elements(text: &str) -> Vec<String> {
    let options =
        roxmltree::ParsingOptions { allow_dtd: true, ..roxmltree::ParsingOptions::default() };
    let document = roxmltree::Document::parse_with_options(text, options).unwrap();
    let elements = document.descendants().filter(roxmltree::Node::is_element);
    elements
        .map(|node| {
            let attributes: Vec<&str> =
                node.attributes().map(|attribute| attribute.name()).collect();
            format!("{} {}", node.tag_name().name(), attributes.join(" "))
        })
        .collect()
}

#[test]
fn markdown_shows_a_text_and_makes_nothing_of_it() {
    for hostile in HOSTILE {
        let page = report_of(hostile).to_markdown();

        let mut fence: Option<String> = None;
        for line in page.lines() {
            let ticks: String = line.chars().take_while(|c| *c == '`').collect();
            match &fence {
                None if ticks.len() >= 3 => fence = Some(ticks),
                Some(open) if line == open => fence = None,
                None | Some(_) => {}
            }
            if fence.is_some() {
                continue;
            }
            for mark in [
                "](",
                "<script",
                "<img",
                "<svg",
                "<h1",
                "@everyone",
                "https://a.example",
                "www.a.example",
            ] {
                assert!(!bare(line).contains(mark), "{hostile:?}: {mark} in {line}");
            }
        }
        assert_eq!(fence, None, "{hostile:?}: a block of code is open");
    }
}

/// A line without the characters whose meaning a backslash takes.
fn bare(line: &str) -> String {
    let mut rest = line.chars();
    let mut bare = String::new();
    while let Some(c) = rest.next() {
        match c {
            '\\' => drop(rest.next()),
            c => bare.push(c),
        }
    }
    bare
}

#[test]
fn hostile_names_of_cookies_come_through_the_rules_harmless() {
    for hostile in HOSTILE {
        let mut page = Exchange::new("GET", "https://shop.example/", 200, NOW).unwrap();
        page.probe = Probe::Visit;
        page.response.push("Set-Cookie", format!("{hostile}=q8Zr31LkP0vTn5YxBm2Wgk"));
        page.response.push(
            "Set-Cookie",
            format!("sid=q8Zr31LkP0vTn5YxBm2Wgk; Domain={hostile}; Path={hostile}; {hostile}"),
        );
        page.response.push("Location", format!("/{hostile}?sid=q8Zr31LkP0vTn5YxBm2Wgk"));
        let observed = Observed::new(vec![page], Declared::default());

        let report = Report::new(&observed, Facts::default());

        assert!(!report.findings().is_empty());
        assert!(elements(&report.to_html()).iter().all(|name| !name.starts_with("script")));
        let _ = elements(&report.to_junit());
        for (format, text) in in_all_formats(&report) {
            let odd = text.chars().find(|c| c.is_control() && *c != '\n');
            assert_eq!(odd, None, "{}: {hostile:?}", format.as_str());
        }
    }
}
