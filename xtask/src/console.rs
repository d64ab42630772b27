//! What the person at the terminal reads.

use std::io::{self, IsTerminal, Write};
use std::process::Stdio;

/// Where progress goes, and whether it is coloured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Console {
    /// Standard output belongs to a JSON object; everything else goes to standard error.
    json: bool,
    colour: bool,
}

impl Console {
    /// Colour is for terminals, and for nobody who asked for none (`NO_COLOR`) or is a machine (`CI`).
    pub(crate) fn new(json: bool) -> Self {
        let terminal = if json { io::stderr().is_terminal() } else { io::stdout().is_terminal() };
        let declined = ["NO_COLOR", "CI"].iter().any(|name| std::env::var_os(name).is_some_and(|set| !set.is_empty()));
        Self { json, colour: terminal && !declined }
    }

    /// True when the result is wanted as JSON.
    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// True when colour is welcome.
    pub(crate) fn is_coloured(self) -> bool {
        self.colour
    }

    /// One line of progress. A reader who went away (a closed pipe) is no reason to stop checking.
    pub(crate) fn say(self, line: &str) {
        let _ = if self.json { writeln!(io::stderr(), "{line}") } else { writeln!(io::stdout(), "{line}") };
    }

    /// The line above a stage.
    pub(crate) fn headline(self, text: &str) {
        if self.colour {
            self.say(&format!("\u{1b}[1m== {text}\u{1b}[0m"));
        } else {
            self.say(&format!("== {text}"));
        }
    }

    /// The result, always on standard output.
    pub(crate) fn result(self, line: &str) {
        let _ = writeln!(io::stdout(), "{line}");
    }

    /// Where a command's standard output goes.
    pub(crate) fn child_stdout(self) -> Stdio {
        if self.json { io::stderr().into() } else { Stdio::inherit() }
    }
}
