use super::{Page, Visit};
use crate::Failure;
use serde_json::{Value, json};

/// Brings the element into view and gives the point in its middle, if a finger could touch it.
const MIDDLE: &str = "
  element.scrollIntoView({ block: 'center', inline: 'center', behavior: 'instant' });
  const box = element.getClientRects()[0];
  if (!box || !box.width || !box.height) fail('has no size');
  const x = box.left + box.width / 2, y = box.top + box.height / 2;
  const top = document.elementFromPoint(x, y);
  if (!top || !element.contains(top)) fail(
    'is covered by ' + (top ? top.outerHTML.slice(0, 80) : 'the edge of the window'));
  return [x, y];";

const FOCUS_AND_EMPTY: &str = "
  element.focus();
  if (document.activeElement !== element) fail('takes no text');
  if (element.select) element.select();
  document.execCommand('delete');";

/// Makes `button` of what sends the form; without one puts the focus into a field and gives null.
const FIND_BUTTON: &str = "
  const form = element.closest('form');
  if (!form) fail('is in no form');
  const sends = (one) => ['submit', 'image'].includes(one.type) && !one.disabled;
  const own = [...document.querySelectorAll('button, input')].filter((one) => one.form === form);
  const button = sends(element) ? element : own.find(sends);
  if (!button) { form.querySelector('input:not([type=hidden])').focus(); return null; }";

/// What people do with mouse and keyboard: real input events, trusted by the page.
impl Page {
    /// Clicks the first element that matches and waits for the page it leads to.
    ///
    /// # Errors
    ///
    /// When no element matches, it cannot be seen, or no other page has loaded within 20 s.
    pub fn click(&self, selector: &str) -> Result<Visit, Failure> {
        let mark = self.mark();
        self.press(selector)?;
        self.arrive(mark, None, &format!("what {selector} leads to"))
    }

    /// Clicks the first element that matches and waits for nothing.
    ///
    /// # Errors
    ///
    /// When no element matches or it cannot be seen.
    pub fn press(&self, selector: &str) -> Result<(), Failure> {
        self.press_at(&self.on_element(selector, MIDDLE)?)
    }

    /// Sends the form that is, or contains, the first element that matches: with its button, or
    /// with the Enter key if it has none. Waits for the page that answers.
    ///
    /// # Errors
    ///
    /// When no element matches, the form cannot be sent, or no page has loaded within 20 s.
    pub fn submit(&self, selector: &str) -> Result<Visit, Failure> {
        let mark = self.mark();
        let body = format!("{FIND_BUTTON} return ((element) => {{ {MIDDLE} }})(button);");
        let point = self.on_element(selector, &body)?;
        if point.is_null() { self.press_enter() } else { self.press_at(&point) }?;
        self.arrive(mark, None, &format!("the answer to {selector}"))
    }

    /// Replaces what is in the field that matches first by `text`, as if typed.
    ///
    /// # Errors
    ///
    /// When no element matches or it takes no text.
    pub fn fill(&self, selector: &str, text: &str) -> Result<(), Failure> {
        self.on_element(selector, FOCUS_AND_EMPTY)?;
        if text.is_empty() {
            return Ok(());
        }
        self.call("Input.insertText", &json!({ "text": text })).map(drop)
    }

    /// Presses the Enter key where the focus is and waits for nothing.
    ///
    /// # Errors
    ///
    /// When the browser does not answer.
    pub fn press_enter(&self) -> Result<(), Failure> {
        for kind in ["keyDown", "keyUp"] {
            let params = json!({
                "type": kind, "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13,
                "text": if kind == "keyDown" { "\r" } else { "" },
            });
            self.call("Input.dispatchKeyEvent", &params)?;
        }
        Ok(())
    }

    fn press_at(&self, point: &Value) -> Result<(), Failure> {
        let (x, y) = (point.get(0), point.get(1));
        let mouse = |kind: &str, button: &str, clicks: u8| {
            let params =
                json!({ "type": kind, "x": x, "y": y, "button": button, "clickCount": clicks });
            self.call("Input.dispatchMouseEvent", &params)
        };
        mouse("mouseMoved", "none", 0)?;
        mouse("mousePressed", "left", 1)?;
        mouse("mouseReleased", "left", 1).map(drop)
    }
}
