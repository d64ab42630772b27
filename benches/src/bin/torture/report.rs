//! What came of it, as a table for people and as one JSON object.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use crate::verdict::Verdict;

/// Faults shown; their count is always told.
const SHOWN: usize = 40;

impl Verdict {
    /// The table, or the JSON object alone.
    pub(crate) fn print(&self, json: bool, took: Duration) {
        if json {
            println!("{}", self.to_json(took));
        } else {
            print!("{}", self.table(took));
        }
    }

    fn table(&self, took: Duration) -> String {
        let mut out = String::new();
        let mut row = |name: &str, value: String| {
            // Writing to a string does not fail.
            let _ = writeln!(out, "{name:<28} {value}");
        };
        row("lives ended by force", format!("{} (kill -9 {}, by themselves {})", self.deaths, self.killed, self.alone));
        for (place, hits) in &self.hits {
            row(&format!("  {place}"), hits.to_string());
        }
        row("clock jumps", self.jumps.to_string());
        for (word, count) in &self.troubles {
            row(word, count.to_string());
        }
        row("webhooks", format!("{}, of these kept for a person {}", self.webhooks, self.parked));
        for (answer, count) in &self.answers {
            row(&format!("  answered {answer}"), count.to_string());
        }
        row("carts", self.carts.to_string());
        for (end, count) in &self.runs {
            row(&format!("  {end}"), count.to_string());
        }
        row("people of the campaign", self.campaign.values().sum::<u32>().to_string());
        for (end, count) in &self.campaign {
            row(&format!("  {end}"), count.to_string());
        }
        row("provider's calls", self.provider.calls.to_string());
        for (answer, count) in &self.provider.answers {
            row(&format!("  {answer}"), count.to_string());
        }
        row("messages it took", self.taken.to_string());
        for (state, count) in &self.sends {
            row(&format!("  ledger: {state}"), count.to_string());
        }
        row("in flight at a kill", self.in_flight.to_string());
        row("calls it cut", self.provider.cut.to_string());
        row("at rest after", format!("{:.1} s", self.settled_in.as_secs_f64()));
        row("in all", format!("{} s", took.as_secs()));
        row("faults", self.faults.len().to_string());
        for fault in self.faults.iter().take(SHOWN) {
            row("FAULT", fault.clone());
        }
        out
    }

    fn to_json(&self, took: Duration) -> Value {
        json!({
            "clean": self.is_clean(), "faults": self.faults, "lives": self.deaths, "killed": self.killed,
            "ended_alone": self.alone, "failpoints": self.hits, "clock_jumps": self.jumps, "troubles": self.troubles,
            "webhooks": self.webhooks, "parked": self.parked, "answers": self.answers, "carts": self.carts,
            "runs": self.runs, "campaign": self.campaign, "sends": self.sends, "provider_took": self.taken,
            "provider_calls": self.provider.calls, "provider_answers": self.provider.answers, "cut": self.provider.cut,
            "in_flight_at_kills": self.in_flight, "settled_seconds": self.settled_in.as_secs_f64(),
            "seconds": took.as_secs(),
        })
    }
}
