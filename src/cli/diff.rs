//! `mailwright runs diff`: a run as it was beside the same run rehearsed, trajectory and message.

use kit::message::DraftRecord;
use kit::{Digest, RunId};
use serde_json::{Value, json};

use super::app::App;
use super::out::{Ink, Out, short};
use super::trace::fill;
use super::{Failure, Global, failure};
use crate::runs::{Comparison, End, Side, Turn};

/// The width of one side, in characters.
const COLUMN: usize = 58;

/// What `--model` says when nobody wrote it: the shop's own first model.
const UNSAID: &str = "default";

pub(super) async fn run(
    app: &App,
    global: &Global,
    id: &RunId,
    release: Option<Digest>,
    out: &Out,
) -> Result<(), Failure> {
    let profile = Some(global.model.as_str()).filter(|name| *name != UNSAID || global.base_url.is_some());
    let comparison = app.tenant.rehearse(id, profile, release).await.map_err(failure)?;
    out.value(&document(&comparison))?;
    print(&comparison, *out);
    Ok(())
}

fn document(comparison: &Comparison) -> Value {
    json!({
        "run": comparison.run,
        "recorded": side(&comparison.recorded),
        "rehearsed": side(&comparison.rehearsed),
        "first_difference": comparison.first_difference,
        "answered_afresh": comparison.answered_afresh,
    })
}

fn side(side: &Side) -> Value {
    json!({
        "models": side.models, "release": side.release, "turns": side.turns, "needs_approval": side.needs_approval,
        "message": side.draft.as_ref().map(message), "end": end(&side.end),
    })
}

fn message(draft: &DraftRecord) -> Value {
    let texts = lines(draft).into_iter().map(|(field, text)| json!({ "field": field, "text": text }));
    json!({ "content": draft.report.content, "texts": texts.collect::<Vec<_>>(), "findings": draft.report.findings })
}

/// The message's texts by field, as its reader would see them.
fn lines(draft: &DraftRecord) -> Vec<(String, String)> {
    let message = &draft.draft;
    let subjects = message.subjects.iter().map(|subject| ("subject".to_owned(), fill(subject, draft)));
    let preheader = std::iter::once(("preheader".to_owned(), fill(&message.preheader, draft)));
    let blocks = message
        .blocks
        .iter()
        .flat_map(|block| block.texts().into_iter().map(|(field, text)| (field.to_owned(), fill(text, draft))));
    subjects.chain(preheader).chain(blocks).collect()
}

fn end(end: &End) -> Value {
    match end {
        End::Over(outcome) => json!(outcome),
        End::Approval => json!({ "waits": "approval" }),
        End::Held(hold) => json!({ "waits": hold }),
        End::Marketer => json!({ "waits": "marketer" }),
        End::Open => json!({ "waits": "its next step" }),
    }
}

fn end_words(end: &End) -> String {
    match end {
        End::Over(agent::Outcome::Delivered { state }) => format!("delivered ({})", state.as_str()),
        End::Over(agent::Outcome::Written { copy }) => format!("written: {} subject(s)", copy.subjects.len()),
        End::Over(agent::Outcome::NoSend(reason)) => format!("no message: {}", reason.code),
        End::Over(agent::Outcome::Held { hold }) => format!("held for good: {hold}"),
        End::Over(agent::Outcome::Parked(reason)) => format!("parked: {} – {}", reason.code, reason.text),
        End::Approval => "a person is asked".to_owned(),
        End::Held(hold) => format!("held: {hold}"),
        End::Marketer => "the marketer is to speak".to_owned(),
        End::Open => "not over yet".to_owned(),
    }
}

fn print(comparison: &Comparison, out: Out) {
    let Comparison { run, recorded, rehearsed, first_difference, answered_afresh } = comparison;
    out.line(&format!("{} {run}", out.ink(Ink::Bold, "run")));
    let row = |name: &str, one: &str, other: &str| {
        let same = one == other;
        let name = out.ink(if same { Ink::Dim } else { Ink::Warn }, &format!("{name:<10}"));
        out.line(&format!("  {name} {:<COLUMN$}  {}", short(one, COLUMN), short(other, COLUMN)));
    };
    row("", "as it was", "rehearsed");
    row("model", &recorded.models.join(", "), &rehearsed.models.join(", "));
    row("release", &recorded.release.short(), &rehearsed.release.short());
    let turns = recorded.turns.len().max(rehearsed.turns.len());
    for position in 0..turns {
        let (one, other) = (recorded.turns.get(position), rehearsed.turns.get(position));
        let words = |turn: Option<&Turn>| turn.map(|turn| turn.what.clone()).unwrap_or_default();
        row(&format!("{:>3}", position + 1), &words(one), &words(other));
        let count = one.map_or(0, |t| t.detail.len()).max(other.map_or(0, |t| t.detail.len()));
        for at in 0..count {
            let detail = |turn: Option<&Turn>| turn.and_then(|t| t.detail.get(at)).cloned().unwrap_or_default();
            row("", &format!("  {}", detail(one)), &format!("  {}", detail(other)));
        }
    }
    let (one, other) = (texts(recorded), texts(rehearsed));
    for position in 0..one.len().max(other.len()) {
        let field = one.get(position).or(other.get(position)).map_or("", |(field, _)| field.as_str());
        let text = |side: &[(String, String)]| side.get(position).map(|(_, text)| text.clone()).unwrap_or_default();
        row(field, &text(&one), &text(&other));
    }
    row("needs you", &recorded.needs_approval.join("; "), &rehearsed.needs_approval.join("; "));
    row("end", &end_words(&recorded.end), &end_words(&rehearsed.end));
    for call in answered_afresh {
        out.line(&format!("  not asked then, answered from today's data: {}", short(call, 100)));
    }
    match first_difference {
        Some(turn) => out.line(&format!("The first difference is in turn {turn}.")),
        None => out.line("The writer did the same in every turn."),
    }
}

fn texts(side: &Side) -> Vec<(String, String)> {
    side.draft.as_ref().map(lines).unwrap_or_default()
}
