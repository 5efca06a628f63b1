//! The forms of a page, and the tokens that it hands out against forged requests.

use crate::markup::{attribute_of, tags};

/// A field that a form sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// The value that stands in the page; empty where the user fills it in.
    pub value: String,
    /// Its `type` in lower case; `text` where none is given.
    pub kind: String,
    /// Whether it would be sent as it stands: a box that is ticked, or no box.
    pub is_sent: bool,
}

/// A form in a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// Where it goes; `None` for the page itself.
    pub action: Option<String>,
    /// `GET` or `POST`.
    pub method: String,
    /// What it sends, in order.
    pub fields: Vec<Field>,
}

impl Form {
    /// Whether it has a field of this name.
    pub fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.name == name)
    }
}

/// The forms of a page. Broken pages are read as far as they go.
///
/// ```
/// use cloakroom_audit::forms;
///
/// let page = b"<form method=post action=/in><input type=hidden name=csrf value=x7><input name=user></form>";
/// let found = forms(page);
/// assert_eq!((found[0].action.as_deref(), found[0].method.as_str()), (Some("/in"), "POST"));
/// assert_eq!(found[0].fields[0].value, "x7");
/// assert!(found[0].has("user"));
/// ```
pub fn forms(page: &[u8]) -> Vec<Form> {
    let text = String::from_utf8_lossy(page);
    let mut found: Vec<Form> = Vec::new();
    let mut is_open = false;
    for tag in tags(&text) {
        let name: String =
            tag.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '/').collect();
        match name.to_ascii_lowercase().as_str() {
            "form" => {
                let method = attribute_of(tag, "method").unwrap_or_default().to_ascii_uppercase();
                let method = if method == "POST" { method } else { "GET".to_owned() };
                let action = attribute_of(tag, "action").filter(|action| !action.is_empty());
                found.push(Form { action, method, fields: Vec::new() });
                is_open = true;
            }
            "/form" => is_open = false,
            "option" if is_open => {
                if let Some(form) = found.last_mut() {
                    choose(form, tag);
                }
            }
            "input" | "button" | "select" | "textarea" if is_open => {
                if let Some(form) = found.last_mut() {
                    form.fields.extend(field(tag));
                }
            }
            _ => {}
        }
    }
    found
}

/// A list sends the option that is chosen, or else its first one; a list of several sends those that are.
fn choose(form: &mut Form, option: &str) {
    let Some(list) = form.fields.last_mut() else { return };
    let is_several = list.kind == SEVERAL;
    if !matches!(list.kind.as_str(), ONE | SEVERAL) {
        return;
    }
    let is_chosen = says(option, "selected");
    let value = attribute_of(option, "value").unwrap_or_default();
    if is_several && is_chosen && list.is_sent {
        let another = Field { value, ..list.clone() };
        form.fields.push(another);
    } else if is_chosen || (!is_several && !list.is_sent) {
        list.value = value;
        list.is_sent = true;
    }
}

/// Lists by the names that scripts know them by.
const ONE: &str = "select-one";
const SEVERAL: &str = "select-multiple";

/// Whether a tag has an attribute that is there or not.
fn says(tag: &str, attribute: &str) -> bool {
    let tag = tag.to_ascii_lowercase();
    tag.split_ascii_whitespace().any(|word| {
        let behind = word.trim_end_matches('/').strip_prefix(attribute);
        behind.is_some_and(|behind| behind.is_empty() || behind.starts_with('='))
    })
}

fn field(tag: &str) -> Option<Field> {
    let name = attribute_of(tag, "name").filter(|name| !name.is_empty())?;
    let is_button = tag.get(..6).is_some_and(|begin| begin.eq_ignore_ascii_case("button"));
    let kind = attribute_of(tag, "type").map(|kind| kind.to_ascii_lowercase());
    let is_list = tag.get(..6).is_some_and(|begin| begin.eq_ignore_ascii_case("select"));
    let kind = match (is_list, kind) {
        (true, _) if says(tag, "multiple") => SEVERAL.to_owned(),
        (true, _) => ONE.to_owned(),
        (false, Some(kind)) => kind,
        (false, None) => if is_button { "submit" } else { "text" }.to_owned(),
    };
    let is_box = matches!(kind.as_str(), "checkbox" | "radio");
    let is_sent = match kind.as_str() {
        "submit" | "button" | "image" | "reset" | "file" | ONE | SEVERAL => false,
        _ if is_box => says(tag, "checked"),
        _ => true,
    };
    let value =
        attribute_of(tag, "value").unwrap_or_else(|| if is_box { "on" } else { "" }.to_owned());
    Some(Field { name, value, kind, is_sent })
}

/// Tokens that a page gives to its scripts in `meta` tags: the name in lower case, and the content.
pub(crate) fn metas(page: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(page);
    let is_meta =
        |tag: &&str| tag.get(..5).is_some_and(|begin| begin.eq_ignore_ascii_case("meta "));
    let read = |tag: &str| {
        Some((attribute_of(tag, "name")?.to_ascii_lowercase(), attribute_of(tag, "content")?))
    };
    tags(&text).filter(is_meta).filter_map(read).collect()
}

/// Whether something of this name goes with forms, against forged requests.
pub(crate) fn is_form_token(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [
        "csrf",
        "xsrf",
        "authenticity_token",
        "requestverification",
        "antiforgery",
        "form_token",
        "nonce",
    ]
    .iter()
    .any(|word| name.contains(word))
        || name == "_token"
}

/// The hidden fields of a form that are there against forged requests: by what they are called or, where
/// nothing in the form is called so, by values that nobody guesses.
pub(crate) fn hidden_tokens(form: &Form) -> Vec<String> {
    let hidden = form.fields.iter().filter(|field| field.kind == "hidden");
    let filled: Vec<&Field> = hidden.filter(|field| !field.value.is_empty()).collect();
    let is_called = |field: &&&Field| {
        let name = field.name.to_ascii_lowercase();
        let words = ["token", "sectok", "sesskey", "formkey", "form_key", "formhash"];
        is_form_token(&name) || words.iter().any(|word| name.contains(word))
    };
    let mut found: Vec<&&Field> = filled.iter().filter(is_called).collect();
    if found.is_empty() {
        found = filled.iter().filter(|field| is_random(field.value.as_bytes())).collect();
    }
    found.into_iter().map(|field| field.name.clone()).collect()
}

/// Whether a value has the length and the digits of a token, and is no address and no list.
fn is_random(value: &[u8]) -> bool {
    let digits = value.iter().filter(|octet| octet.is_ascii_digit()).count();
    let letters = value.iter().filter(|octet| octet.is_ascii_alphabetic()).count();
    let is_plain = |octet: &u8| octet.is_ascii_alphanumeric() || b"-_+=.".contains(octet);
    value.len() >= 20 && digits >= 3 && letters >= 3 && value.iter().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_however_they_are_written() {
        let page = b"<input name=outside><FORM METHOD='Post'>
            <input type=\"hidden\" name='_token' value=\"a&amp;b\"/>
            <input type=checkbox name=remember><input type=checkbox checked name=news value=1>
            <button name=go value=1>Go</button><textarea name=text></textarea></FORM><input name=behind>";

        let found = forms(page);

        assert_eq!(found.len(), 1);
        assert_eq!((found[0].method.as_str(), &found[0].action), ("POST", &None));
        let told: Vec<_> = found[0]
            .fields
            .iter()
            .map(|field| (field.name.as_str(), field.value.as_str(), field.is_sent))
            .collect();
        assert_eq!(
            told,
            [
                ("_token", "a&b", true),
                ("remember", "on", false),
                ("news", "1", true),
                ("go", "1", false),
                ("text", "", true)
            ]
        );
    }

    #[test]
    fn a_list_sends_what_is_chosen_and_a_list_of_several_nothing_else() {
        let page = b"<form><select name=a><option value=1><option value=2></select>
            <select name=b><option value=1><option value=2 selected></select>
            <select name=c multiple><option value=1><option value=2></select>
            <select name=d multiple><option value=1 selected><option value=2 selected='selected'></select>
            <input name=e></form>";

        let found = forms(page);

        let sent = found[0].fields.iter().filter(|field| field.is_sent);
        let told: Vec<_> = sent.map(|field| (field.name.as_str(), field.value.as_str())).collect();
        assert_eq!(told, [("a", "1"), ("b", "2"), ("d", "1"), ("d", "2"), ("e", "")]);
    }

    #[test]
    fn tokens_of_meta_tags_are_found() {
        let page = b"<META name=\"csrf-token\" content='x7'><meta charset=utf-8>";

        assert_eq!(metas(page), [("csrf-token".to_owned(), "x7".to_owned())]);
        assert!(is_form_token("csrfmiddlewaretoken") && !is_form_token("password"));
    }

    #[test]
    fn tokens_of_forms_are_known_by_their_names_or_by_their_values() {
        let hidden = |fields: &[(&str, &str)]| {
            let field = |(name, value): &(&str, &str)| {
                format!("<input type=hidden name='{name}' value='{value}'>")
            };
            let fields: String = fields.iter().map(field).collect();
            hidden_tokens(&forms(format!("<form>{fields}</form>").as_bytes())[0])
        };
        let random = "aad995c67c43c865fcd3c205c3386655";

        assert_eq!(hidden(&[("sectok", random), ("changecheck", random)]), ["sectok"]);
        assert_eq!(hidden(&[("wpEditToken", "aad995c67c43+\\"), ("id", "7")]), ["wpEditToken"]);
        assert_eq!(
            hidden(&[("x", random), ("next", "/admin/2026/11/23/page"), ("id", "7")]),
            ["x"]
        );
        assert_eq!(hidden(&[("token", ""), ("lang", "en")]), [""; 0]);
        let open = forms(b"<form><input name=token value=abc></form>");
        assert_eq!(hidden_tokens(&open[0]), [""; 0], "the user fills it in");
    }
}
