use super::*;
use crate::ask::Heard;
use crate::exchange::Headers;
use crate::script::Script;
use crate::site::Pace;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

/// A site in a table: path, status, `Location`, page.
struct Pages {
    pages: BTreeMap<&'static str, (u16, &'static str, String)>,
    asked: RefCell<Vec<String>>,
}

impl Fetch for Pages {
    async fn fetch(&self, ask: &Ask) -> Result<Heard, Silence> {
        assert_eq!((ask.method.as_str(), ask.body.len()), ("GET", 0));
        let url = Url::parse(&ask.url).unwrap();
        self.asked.borrow_mut().push(url.path().to_owned());
        let missing = (404, "", String::new());
        let (status, location, body) = self.pages.get(url.path()).unwrap_or(&missing);
        let mut headers = Headers::default();
        headers.push("content-type", "text/html");
        if !location.is_empty() {
            headers.push("location", *location);
        }
        Ok(Heard { status: *status, headers, body: body.clone().into_bytes(), is_cut: false })
    }

    async fn pause(&self, _: Duration) {}

    fn now(&self) -> Duration {
        Duration::from_secs(1_790_000_000)
    }
}

const FORM: &str = "<form method=post action=/in><input type=hidden name=csrf value=x>\
    <input name=search><input name=user type=email><input type=password name='pass[word]'></form>";
const REGISTER: &str =
    "<form><input name=u><input type=password name=p><input type=password name=again></form>";

fn sketched(
    pages: &[(&'static str, u16, &'static str, &str)],
) -> (Result<Sketch, SketchError>, Vec<String>) {
    let pages =
        pages.iter().map(|(path, status, to, body)| (*path, (*status, *to, (*body).to_owned())));
    let fetch = Pages { pages: pages.collect(), asked: RefCell::default() };
    let pace = Pace { gap: Duration::ZERO, most: 1_000 };
    let site = Site::new(&fetch, "https://shop.example/", pace).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let result = runtime.block_on(sketch(&site));
    let asked = fetch.asked.borrow().clone();
    (result, asked)
}

fn script(text: &str) -> Script {
    Script::read(text, |name| Some(format!("value of {name}")))
        .unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[test]
fn the_form_behind_a_link_is_found_and_makes_a_script_that_is_read() {
    let (sketch, _) = sketched(&[
        (
            "/",
            200,
            "",
            "<a href=/register>Register</a><a href='/my/login?next=%2Forders'>Sign in</a>",
        ),
        ("/register", 200, "", REGISTER),
        ("/my/login", 200, "", FORM),
        ("/orders", 302, "/my/login?next=/orders", ""),
    ]);

    let sketch = sketch.unwrap();
    let read = script(&sketch.text);
    assert_eq!(sketch.variables, ["SHOP_EXAMPLE_NAME", "SHOP_EXAMPLE_PASSWORD"]);
    assert_eq!(read.login[0].page.as_deref(), Some("/my/login?next=%2Forders"));
    let form = crate::script::Body::Form(vec![
        ("user".to_owned(), "value of SHOP_EXAMPLE_NAME".to_owned()),
        ("pass[word]".to_owned(), "value of SHOP_EXAMPLE_PASSWORD".to_owned()),
    ]);
    assert_eq!(read.login[0].body, form);
    assert_eq!(read.whoami.call.path.as_deref(), Some("/orders"));
    let out = read.whoami.signed_out.unwrap();
    assert_eq!((out.statuses, out.location.as_deref()), (vec![302], Some("/my/login")));
}

#[test]
fn a_way_out_that_nobody_saw_stands_there_as_a_remark() {
    let (guessed, _) = sketched(&[("/", 200, "", ""), ("/users/sign_in", 200, "", FORM)]);
    let with_link = format!("{FORM}<a href=/bye/logout>Out</a>");
    let (seen, _) = sketched(&[("/", 200, "", &with_link)]);

    let (guessed, seen) = (guessed.unwrap(), seen.unwrap());
    assert!(script(&guessed.text).logout.is_none());
    assert!(guessed.text.contains("# [logout]\n# path = \"/users/sign_out\""), "{}", guessed.text);
    assert!(guessed.open.iter().any(|words| words.contains("[logout] is a guess")));
    assert_eq!(script(&seen.text).logout.unwrap().path.as_deref(), Some("/bye/logout"));
}

#[test]
fn what_only_signed_in_users_see_is_asked_for_where_no_page_shows_it() {
    let (sketch, _) = sketched(&[("/", 200, "", FORM)]);

    let sketch = sketch.unwrap();
    assert!(sketch.text.contains("contains = \"FILL IN\""), "{}", sketch.text);
    assert!(sketch.open[0].contains("[whoami] needs one"), "{:?}", sketch.open);
}

#[test]
fn a_site_without_a_login_is_told_and_not_searched_for_ever() {
    let links: String = (0..500).map(|page| format!("<a href=/auth/{page}>x</a>")).collect();
    let (without, asked) =
        sketched(&[("/", 200, "", &format!("{REGISTER}{links}<script src=/x.js></script>"))]);

    let error = without.unwrap_err();
    assert!(asked.len() <= SKETCH_PAGES, "{} pages", asked.len());
    assert!(matches!(error, SketchError::NoLogin { has_scripts: true, .. }), "{error:?}");
    assert!(error.to_string().contains("browser = true"), "{error}");
}

#[test]
fn nothing_that_a_page_says_breaks_out_of_its_place_in_the_file() {
    let hostile =
        "<form><input name='a\" = 1\n[whoami]\\'><input type=password name='}{\u{1}'></form>";
    let (sketch, _) = sketched(&[
        ("/", 200, "", "<a href='/login/\"%0a{x}'>in</a>"),
        ("/login/%22%0a%7Bx%7D", 200, "", hostile),
    ]);

    let read = script(&sketch.unwrap().text);
    let crate::script::Body::Form(fields) = &read.login[0].body else { panic!("no form") };
    assert_eq!(fields[1].0, "}{\u{1}");
    assert!(fields[0].0.starts_with("a\" = 1"));
}
