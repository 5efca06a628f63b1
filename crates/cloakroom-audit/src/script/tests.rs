use super::*;

const LEAST: &str = "origin = 'https://a.example'
[login]
path = '/in'
[whoami]
path = '/me'
signed_in = { status = 200 }
";

fn read(text: &str) -> Result<Script, ScriptError> {
    Script::read(text, |name| name.starts_with("SET_").then(|| format!("value of {name}")))
}

fn error(text: &str) -> String {
    read(text).expect_err(text).to_string()
}

#[test]
fn every_example_of_the_guide_is_read() {
    let guide = include_str!("../../../../docs/guide/login-script.md");
    let examples: Vec<&str> =
        guide.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();

    assert!(examples.len() >= 8, "{} examples", examples.len());
    for example in examples {
        // Pieces are shown without what every script has.
        let whole = match example.contains("origin") {
            true => example.to_owned(),
            false => {
                let top = "origin = 'https://a.example'\n";
                let login = "[login]\npath = '/in'\n";
                let whoami = "[whoami]\npath = '/me'\nsigned_in = { status = 200 }\n";
                let secrets = "[secrets]\nname = 'env:N'\npassword = 'env:P'\ncode = 'env:C'\nnew_password = 'env:Q'\n";
                let mut whole = top.to_owned();
                let parts = [("[login]", login), ("[whoami]", whoami), ("[secrets]", secrets)];
                parts
                    .iter()
                    .filter(|(name, _)| !example.contains(&name[..name.len() - 1]))
                    .for_each(|(_, part)| whole.push_str(part));
                whole.push_str(example);
                whole
            }
        };
        let script = Script::read(&whole, |name| Some(name.to_owned()));
        assert!(script.is_ok(), "{whole}: {script:?}");
    }
}

#[test]
fn a_mistake_is_told_with_its_line_and_how_to_mend_it() {
    for (added, expected) in [
        ("[logot]\npath = '/x'", "line 7: `logot` is no key here; did you mean `logout`?"),
        ("[logout]\npth = '/x'", "line 8: `pth` is no key of [logout]; did you mean `path`?"),
        ("[logout]\nmethod = 'GET'", "line 7: [logout] has no `path`; add `path = ...` to it"),
        (
            "logout = 5",
            "line 7: `logout` is no key of [whoami]; known are: page, method, path, form, json, headers, signed_in, signed_out",
        ),
        (
            "[logout]\npath = 5",
            "line 8: `path` has a value of another kind; write a text in quotes",
        ),
        ("[logout]\npath = '/x", "line 8: this is no TOML: "),
        (
            "[policy]\nidle = '30'",
            "line 8: `idle` has a value of another kind; write a duration such as",
        ),
        (
            "[change]\npath = '/c'\nreplayable = 'yes'",
            "line 9: `replayable` has a value of another kind; write `true` or `false`",
        ),
        (
            "[change]\npath = '/c'\n[change.read]\npath = '/n'",
            "line 9: [change.read] does not say where the number stands; ",
        ),
        (
            "[logout]\npath = '/x'\nform = { a = 'b' }\njson = {}",
            "line 10: a request has `form` and `json`; ",
        ),
        (
            "[secrets]\npin = 'env:UNSET'",
            "line 8: the environment variable UNSET is not set; set it to the value of `pin`",
        ),
        (
            "[secrets]\npin = 'hunter2'",
            "line 8: `pin` stands in the file itself; write `pin = \"env:NAME\"`",
        ),
        (
            "[logout]\npath = '/{pin}'",
            "line 8: `{pin}` is no secret of this script; add `pin = \"env:NAME\"` to [secrets]",
        ),
        ("[logout]\npath = '/{'", "line 8: a brace of `path` stands alone; "),
        ("[second_user]\nname = 'env:SET_A'", "line 7: [second_user] replaces nothing; "),
    ] {
        let told = error(&format!("{LEAST}{added}"));

        assert!(told.starts_with(expected), "{added}: {told}");
        assert!(!told.contains("hunter2"), "{told}");
    }
}

#[test]
fn what_every_script_needs_is_asked_for() {
    for (left_out, expected) in [
        ("origin = 'https://a.example'\n", "`origin` is missing"),
        ("[login]\npath = '/in'\n", "`login` is missing"),
        ("signed_in = { status = 200 }\n", "[whoami] has no `signed_in`"),
    ] {
        let told = error(&LEAST.replace(left_out, ""));

        assert!(told.contains(expected), "{left_out}: {told}");
    }
    let whole = LEAST.replace("a.example", "a.example/shop");
    assert!(error(&whole).contains("is no origin"));
    assert!(error(&LEAST.replace("{ status = 200 }", "{}")).contains("fits every answer"));
    let same = format!("{LEAST}signed_out = {{ status = 200 }}");
    assert!(error(&same).contains("look the same"));
}

#[test]
fn a_file_is_read_up_to_its_limit_and_not_an_octet_further() {
    let fill = |length: usize| format!("{LEAST}#{}", "x".repeat(length - LEAST.len() - 1));

    assert!(read(&fill(SCRIPT_MAX)).is_ok());
    assert!(error(&fill(SCRIPT_MAX + 1)).contains("64 KiB at most"));
}

#[test]
fn secrets_go_where_their_names_stand_and_never_into_debug_output() {
    let text = "origin = 'https://a.example'
[secrets]
name = 'env:SET_NAME'
password = 'env:SET_PASSWORD'
[login]
path = '/in'
form = { z = '{name}', a = 'x{password}{{y}}' }
[whoami]
path = '/me'
signed_in = { status = 200 }
[second_user]
password = 'env:SET_OTHER'
";
    let script = read(text).unwrap();

    let form = |login: &[Call]| match &login[0].body {
        Body::Form(form) => form.clone(),
        other @ (Body::None | Body::Json(_)) => panic!("{other:?}"),
    };
    let expected = |password: &str| {
        let password = format!("xvalue of {password}{{y}}");
        vec![("z".to_owned(), "value of SET_NAME".to_owned()), ("a".to_owned(), password)]
    };
    assert_eq!(form(&script.login), expected("SET_PASSWORD"));
    assert_eq!(form(&script.second_login.clone().unwrap()), expected("SET_OTHER"));
    assert!(!format!("{script:?} {:?}", script.login).contains("value of"));
    let secrets: Vec<&str> = script.secrets().iter().map(String::as_str).collect();
    assert!(
        ["value of SET_PASSWORD", "value of SET_OTHER"].iter().all(|one| secrets.contains(one))
    );
}

#[test]
fn an_address_outside_of_the_named_origins_is_none() {
    let script = read(&format!("also = ['https://id.example']\n{LEAST}")).unwrap();

    assert!(script.url("https://id.example/start").is_some());
    assert_eq!(script.url("//other.example/"), None);
    assert_eq!(script.url("http://a.example/"), None);
}
