//! The brief as a card: what was decided, the live count, the cost, what is assumed and what is missing.

use brief::Figures;
use kit::campaign::{AudienceCount, ExclusionReason};
use kit::campaign::{Brief, Field};
use serde_json::{Value, json};

use crate::briefs::View;
use crate::cli::out::{Ink, Out, clean, short};

/// Fields on the card, in its order.
const FIELDS: &[Field] = &[
    Field::Objective,
    Field::Include,
    Field::Exclude,
    Field::Vip,
    Field::Offer,
    Field::BeyondLadder,
    Field::Channels,
    Field::Schedule,
    Field::Languages,
    Field::Angles,
    Field::Tone,
    Field::Holdout,
    Field::Success,
    Field::Failure,
    Field::Legal,
    Field::Owner,
    Field::Risk,
];

/// Prints the card.
pub(super) fn print(out: Out, view: &View) {
    if view.choices.is_empty() {
        brief(out, &view.brief, &view.figures);
    } else {
        for (n, choice) in (1..).zip(&view.choices) {
            out.line(&format!("{} {}", out.ink(Ink::Bold, &format!("[{n}]")), out.ink(Ink::Name, &clean(&choice.why))));
            brief(out, &choice.brief, &choice.figures);
        }
        out.line(&out.ink(Ink::Warn, "Choose one: /choose N. Or say more."));
    }
}

/// After a turn that changed nothing: which version stands, and whether it is ready.
pub(super) fn print_unchanged(out: Out, view: &View) {
    let state = if view.brief.is_ready() { "ready" } else { "not ready" };
    out.line(&out.ink(Ink::Dim, &format!("version {}, {state}, as before · /show prints it", view.brief.version)));
}

fn brief(out: Out, brief: &Brief, figures: &Figures) {
    let title = brief.title.as_deref().unwrap_or("(no title yet)");
    let state = if brief.is_ready() { out.ink(Ink::Good, "ready") } else { out.ink(Ink::Warn, "not ready") };
    out.line(&format!("┌ {}  version {}  {state}", out.ink(Ink::Bold, &clean(title)), brief.version));
    let row = |label: &str, ink: Ink, text: &str| {
        out.line(&format!("│ {} {}", out.ink(Ink::Dim, &format!("{label:<16}")), out.ink(ink, &short(text, 170))));
    };
    for field in FIELDS {
        let words = brief.get(*field).words();
        if words != "-" {
            row(field.label(), Ink::Bold, &words);
        }
    }
    if let Some(audience) = &figures.audience {
        row("reach", Ink::Good, &reach(audience));
        let excluded = exclusions(audience);
        if !excluded.is_empty() {
            row("falls out", Ink::Dim, &excluded);
        }
    }
    if let Some(cost) = &figures.cost {
        row(
            "maximum cost",
            Ink::Warn,
            &format!(
                "{} ({} people × {} off a usual basket of {})",
                cost.maximum, cost.recipients, cost.per_basket, cost.typical_basket
            ),
        );
        row(
            "margin at risk",
            Ink::Warn,
            &format!("{} ({} would buy anyway)", cost.margin_at_risk, cost.would_buy_anyway),
        );
    }
    for product in &brief.products {
        let path = if product.path.is_empty() { String::new() } else { format!("  [{}]", product.path) };
        row("product", Ink::Bold, &format!("{} {} – {}{path}", product.product, product.title, product.because));
    }
    brief.standing().for_each(|c| row("constraint", Ink::Name, &c.words()));
    brief.assumptions.iter().for_each(|a| row("assumed", Ink::Dim, &a.words()));
    brief.gaps.iter().filter(|g| g.blocks).for_each(|g| row("missing", Ink::Bad, &g.text));
    brief.gaps.iter().filter(|g| !g.blocks).for_each(|g| row("note", Ink::Warn, &g.text));
    out.line("└");
}

fn reach(audience: &AudienceCount) -> String {
    format!("{} of {} who fit ({} customers)", audience.recipients, audience.matched, audience.customers)
}

fn exclusions(audience: &AudienceCount) -> String {
    let words = |reason: ExclusionReason| match reason {
        ExclusionReason::Brief => "excluded by the brief",
        ExclusionReason::Vip => "VIP",
        ExclusionReason::NoConsent => "no consent",
        ExclusionReason::Suppressed => "suppressed",
        ExclusionReason::OpenTicket => "open ticket",
        ExclusionReason::BoughtRecently => "bought recently",
        ExclusionReason::Cap => "had enough messages",
        ExclusionReason::Language => "other language",
        ExclusionReason::Holdout => "holdout",
    };
    audience.excluded.iter().map(|e| format!("{} {}", e.people, words(e.reason))).collect::<Vec<_>>().join(" · ")
}

/// The same for programs.
pub(super) fn json(view: &View) -> Value {
    let choices: Vec<Value> = view
        .choices
        .iter()
        .map(|c| json!({ "why": c.why, "brief": c.brief, "audience": c.figures.audience, "cost": c.figures.cost }))
        .collect();
    json!({
        "id": view.id,
        "turn": view.turn,
        "ended": view.ended,
        "answer": view.answer,
        "brief": view.brief,
        "digest": view.brief.digest().ok(),
        "ready": view.brief.is_ready(),
        "audience": view.figures.audience,
        "questions": view.questions,
        "choices": choices,
        "changes": view.last_changes().iter().map(kit::campaign::Change::words).collect::<Vec<_>>(),
        "versions": view.versions.iter().map(|v| json!({ "version": v.version, "parent": v.parent, "turn": v.turn, "by": v.made_by, "digest": v.digest })).collect::<Vec<_>>(),
    })
}
