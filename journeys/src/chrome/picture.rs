use super::Page;
use crate::Failure;
use serde_json::{Value, json};
use std::path::Path;

impl Page {
    /// Writes a PNG of the whole page, laid out for a window of `width` by `height` CSS pixels,
    /// for readers who prefer light or dark colours. Afterwards the page is as it was.
    ///
    /// # Errors
    ///
    /// When the browser does not answer or the file cannot be written.
    pub fn screenshot(
        &self,
        path: &Path,
        width: u32,
        height: u32,
        dark: bool,
    ) -> Result<(), Failure> {
        let scheme = json!({
            "name": "prefers-color-scheme", "value": if dark { "dark" } else { "light" },
        });
        self.call("Emulation.setEmulatedMedia", &json!({ "features": [scheme] }))?;
        self.resize(width, height)?;
        let metrics = self.call("Page.getLayoutMetrics", &json!({}))?;
        let content = metrics.pointer("/cssContentSize/height").and_then(Value::as_f64);
        let whole = content.unwrap_or_default().max(f64::from(height));
        let clip = json!({ "x": 0, "y": 0, "width": width, "height": whole, "scale": 1 });
        let params = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let picture = self.call("Page.captureScreenshot", &params)?;
        self.call("Emulation.setEmulatedMedia", &json!({ "features": [] }))?;
        self.call("Emulation.clearDeviceMetricsOverride", &json!({}))?;
        // The call is answered before the page has its old layout back.
        self.eval("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")?;
        let text = picture.get("data").and_then(Value::as_str).unwrap_or_default();
        let bytes = from_base64(text).ok_or_else(|| Failure::new("the picture is no base64"))?;
        std::fs::write(path, bytes).map_err(Failure::when(path.display()))
    }

    fn resize(&self, width: u32, height: u32) -> Result<(), Failure> {
        let params = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false,
        });
        self.call("Emulation.setDeviceMetricsOverride", &params).map(drop)
    }
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut values = [None; 256];
    for (value, letter) in (0u32..).zip(ALPHABET) {
        *values.get_mut(usize::from(*letter))? = Some(value);
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0u32, 0u32);
    for letter in text.trim_end_matches('=').bytes() {
        bits = bits << 6 | values.get(usize::from(letter)).copied()??;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::from_base64;

    #[test]
    fn base64_with_any_padding_is_decoded() {
        assert_eq!(from_base64("Zm9vYmFy").unwrap(), b"foobar");
        assert_eq!(from_base64("Zm9vYg==").unwrap(), b"foob");
        assert_eq!(from_base64("+/8=").unwrap(), [0xfb, 0xff]);
        assert_eq!(from_base64("Zm9v!"), None);
    }
}
