//! How far torture is, on standard error: one line that is written over on a terminal, a line now and then elsewhere.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

use crate::round::World;

/// How often a terminal is told, and how often a log.
const TERMINAL: Duration = Duration::from_secs(1);
const LOG: Duration = Duration::from_secs(30);

/// Tells how far it is.
pub(crate) struct Progress {
    kills: u32,
    began: Instant,
    told: Instant,
    terminal: bool,
}

impl Progress {
    pub(crate) fn start(kills: u32) -> Self {
        let now = Instant::now();
        Self { kills, began: now, told: now, terminal: stderr().is_terminal() }
    }

    pub(crate) fn tell(&mut self, world: &World) {
        let every = if self.terminal { TERMINAL } else { LOG };
        if self.told.elapsed() < every {
            return;
        }
        self.told = Instant::now();
        let (line, end) = (self.line(world), if self.terminal { "\r" } else { "\n" });
        // A reader who went away is no reason to stop.
        let _ = write!(stderr(), "{line}{end}");
    }

    pub(crate) fn end(&self, world: &World) {
        let _ = writeln!(stderr(), "{}", self.line(world));
    }

    fn line(&self, world: &World) -> String {
        let hits = world.planner.hits();
        let fewest = hits.values().min().copied().unwrap_or(0);
        format!(
            "{} of {} lives, {} carts, {} messages taken, every failpoint met {fewest} times or more, {} s ",
            world.deaths.len(),
            self.kills,
            world.platform.carts().len(),
            world.provider.taken().len(),
            self.began.elapsed().as_secs()
        )
    }
}
