//! What commands print: text with colour for people, JSON for programs.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};

use serde::Serialize;

use super::Failure;

/// Where and how a command prints.
#[derive(Debug, Clone, Copy)]
pub(super) struct Out {
    json: bool,
    colour: bool,
}

/// A meaning that has a colour.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ink {
    Bold,
    Dim,
    Good,
    Warn,
    Bad,
    Name,
}

impl Out {
    pub(super) fn new(json: bool) -> Self {
        let colour = !json && std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { json, colour }
    }

    /// Words without colour, whatever the terminal can show.
    pub(super) fn plain() -> Self {
        Self { json: false, colour: false }
    }

    pub(super) fn is_json(self) -> bool {
        self.json
    }

    /// The text in a colour, where colours are shown.
    pub(super) fn ink(self, ink: Ink, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        let code = match ink {
            Ink::Bold => "1",
            Ink::Dim => "2",
            Ink::Good => "32",
            Ink::Warn => "33",
            Ink::Bad => "31",
            Ink::Name => "36",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    /// A line for people; nothing in JSON mode.
    pub(super) fn line(self, text: &str) {
        if !self.json {
            self.raw(text);
        }
    }

    /// A piece of a line for people, as it comes.
    pub(super) fn piece(self, text: &str) {
        if !self.json {
            let mut stdout = std::io::stdout().lock();
            let _ = write!(stdout, "{text}").and_then(|()| stdout.flush());
        }
    }

    /// A progress note: to standard error, so that it never mixes with results.
    pub(super) fn note(self, text: &str) {
        if !self.json {
            let _ = writeln!(std::io::stderr().lock(), "{text}");
        }
    }

    /// A value for programs; nothing in text mode.
    pub(super) fn value(self, value: &impl Serialize) -> Result<(), Failure> {
        if self.json {
            self.raw(&serde_json::to_string_pretty(value).map_err(super::failure)?);
        }
        Ok(())
    }

    /// Text that is printed in both modes: a document the user asked for.
    pub(super) fn raw(self, text: &str) {
        // A reader that closed the pipe has seen enough.
        let _ = writeln!(std::io::stdout().lock(), "{text}");
    }

    pub(super) fn error(self, text: &str) {
        let mut err = std::io::stderr().lock();
        let _ = if self.json {
            writeln!(err, "{}", serde_json::json!({ "error": text }))
        } else {
            writeln!(err, "{} {text}", self.ink(Ink::Bad, "error:"))
        };
    }

    /// Rows under a header, columns aligned.
    pub(super) fn table(self, header: &[&str], rows: &[Vec<String>]) {
        if self.json {
            return;
        }
        let widths: Vec<usize> = header
            .iter()
            .enumerate()
            .map(|(i, name)| {
                rows.iter()
                    .filter_map(|r| r.get(i))
                    .map(|c| c.chars().count())
                    .chain([name.chars().count()])
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        let set = |cells: &mut dyn Iterator<Item = &str>| {
            let mut line = String::new();
            for (cell, width) in cells.zip(&widths) {
                let _ = write!(line, "{cell:<width$}  ");
            }
            line.trim_end().to_owned()
        };
        self.raw(&self.ink(Ink::Dim, &set(&mut header.iter().copied())));
        for row in rows {
            self.raw(&set(&mut row.iter().map(String::as_str)));
        }
    }
}

/// Text from elsewhere without the characters that would draw on the reader's screen, reorder it or hide in it.
pub(super) fn clean(text: &str) -> String {
    let hidden = |c: char| {
        matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
    };
    text.chars().filter(|c| !c.is_control() && !hidden(*c)).collect()
}

/// At most this many characters, on one line.
pub(super) fn short(text: &str, chars: usize) -> String {
    let text = clean(&text.replace(['\n', '\t'], " "));
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= chars {
        line
    } else {
        format!("{}…", line.chars().take(chars.saturating_sub(1)).collect::<String>())
    }
}
