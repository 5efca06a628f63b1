//! One page: its blocks, and what became of them.

use cloakroom_journeys::folder::Folder;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What divides the output of one block from that of the next.
const MARK: &str = "=== end of a block ===\n";

/// A page of commands and what they print.
pub(crate) struct Page {
    path: PathBuf,
    text: String,
    /// The ports that are shown, and those that they stand for.
    ports: Vec<(u16, u16)>,
}

/// A block of commands, and where the page shows what they print.
struct Block {
    commands: String,
    shown: Option<std::ops::Range<usize>>,
}

impl Page {
    /// Reads a page of the repository.
    pub(crate) fn read(path: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
        let text = fs::read_to_string(&path).unwrap();
        Self { path, text, ports: Vec::new() }
    }

    /// A port of the page is another one here.
    pub(crate) fn stands_for(&mut self, shown: u16, here: u16) {
        self.ports.push((shown, here));
    }

    /// Runs all blocks in one shell, and compares what they print with what the page shows; `last`
    /// runs in any case.
    pub(crate) fn run(&self, folder: &Folder, variables: &[(&str, &str)], last: &[&str]) {
        let blocks = blocks(&self.text);
        assert!(!blocks.is_empty(), "{} shows no commands", self.path.display());
        let mut script = "set -eu\ncargo() { :; }\n".to_owned();
        for block in &blocks {
            script.push_str(&self.exchanged(&block.commands, |(shown, here)| (shown, here)));
            script.push_str(&format!("printf '{}\\n'\n", MARK.trim_end()));
        }
        let (printed, is_done, errors) = shell(folder, &script, variables, last);
        assert!(is_done, "{}: {errors}\n{printed}", self.path.display());
        let printed = self.exchanged(&printed, |(shown, here)| (here, shown));
        self.compare(&blocks, &printed);
    }

    /// A text with other ports. By way of a mark, since one port may be a part of another.
    fn exchanged(&self, text: &str, direction: fn((u16, u16)) -> (u16, u16)) -> String {
        let ports = || self.ports.iter().copied().map(direction).enumerate();
        let marked = ports().fold(text.to_owned(), |text, (number, (from, _))| {
            text.replace(&from.to_string(), &format!("<port {number}>"))
        });
        ports().fold(marked, |text, (number, (_, to))| {
            text.replace(&format!("<port {number}>"), &to.to_string())
        })
    }

    fn compare(&self, blocks: &[Block], printed: &str) {
        let mut text = self.text.clone();
        let printed: Vec<_> = printed.split_terminator(MARK).collect();
        assert_eq!(printed.len(), blocks.len());
        // From the end, so that the places of earlier blocks stay what they are.
        for (block, printed) in blocks.iter().zip(&printed).rev() {
            match block.shown.clone() {
                Some(shown) => text.replace_range(shown, printed),
                None => assert_eq!(*printed, "", "not shown: {}", block.commands),
            }
        }
        if std::env::var_os("CLOAKROOM_BLESS").is_some() {
            fs::write(&self.path, text).unwrap();
        } else {
            assert_eq!(text, self.text, "{} shows something else", self.path.display());
        }
    }
}

/// Every block of commands, with the block of text behind it if there is one.
fn blocks(text: &str) -> Vec<Block> {
    const COMMANDS: &str = "```sh\n";
    const SHOWN: &str = "```text\n";
    const END: &str = "```\n";
    let mut blocks = Vec::new();
    let mut at = 0;
    while let Some(begin) = text[at..].find(COMMANDS) {
        let begin = at + begin + COMMANDS.len();
        let end = begin + text[begin..].find(END).unwrap();
        at = end + END.len();
        let rest = &text[at..];
        let shown = rest.trim_start().starts_with(SHOWN).then(|| {
            let begin = at + rest.find(SHOWN).unwrap() + SHOWN.len();
            begin..begin + text[begin..].find(END).unwrap()
        });
        blocks.push(Block { commands: text[begin..end].to_owned(), shown });
    }
    blocks
}

/// Runs a script in a folder that has the examples in it. Gives what it printed, whether it came to
/// its end, and its complaints.
fn shell(
    folder: &Folder,
    script: &str,
    variables: &[(&str, &str)],
    last: &[&str],
) -> (String, bool, String) {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    std::os::unix::fs::symlink(examples.canonicalize().unwrap(), folder.join("examples")).unwrap();
    // Files, and not pipes: what is started and stays would keep a pipe open.
    let [out, errors] = ["out", "errors"].map(|name| folder.join(name));
    let run = |words: &[&str], out: &Path| {
        let to = |path| File::options().append(true).create(true).open(path).unwrap();
        let mut command = Command::new("sh");
        command.args(words).current_dir(folder.path()).stdout(to(out)).stderr(to(&errors));
        command.env("CLUSTER_DIR", folder.join("target/cluster"));
        command.envs(variables.iter().copied()).status().unwrap()
    };
    let done = run(&["-c", script], &out);
    if !last.is_empty() {
        run(last, &folder.join("last"));
    }
    let [out, errors] = [out, errors].map(|path| fs::read_to_string(path).unwrap());
    (out, done.success(), errors)
}
