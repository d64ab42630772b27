//! What an approver sees before deciding: the message exactly as it would leave, why a person must look, and on what facts
//! and paths it stands.

use std::collections::BTreeMap;

use agent::Input;
use kit::message::{ApprovalState, Rendered};
use serde_json::Value;

use super::app::App;
use super::out::{Ink, Out, clean};
use super::trace::fill;
use super::{Failure, failure};
use crate::approvals::Looked;
use crate::store::Approval;

/// Begins what the writer wants looked at twice, below its summary.
const NOTES: &str = "\nLook twice: ";

/// The message as it would leave now, with a page to look at it.
pub(super) async fn show(app: &App, approval: &Approval, looked: &Looked, out: &Out) -> Result<(), Failure> {
    let nothing = || Err("it is about a campaign".to_owned());
    let rendered = looked.rendered.clone().unwrap_or_else(nothing);
    let page = match &rendered {
        Ok(message) => Some(write_page(app, approval, message)?),
        Err(_) => None,
    };
    let paths = paths(app, approval).await?;
    let mut value = card(approval);
    if let (Some(fields), Ok(message)) = (value.as_object_mut(), &rendered) {
        let page = page.as_ref().map(|p| p.display().to_string());
        fields.insert("subject".to_owned(), message.subject.clone().into());
        fields.insert("text".to_owned(), message.text.clone().into());
        fields.insert("preview".to_owned(), page.into());
        fields.insert("paths".to_owned(), serde_json::json!(paths));
    }
    with_route(&mut value, looked);
    out.value(&value)?;
    let draft = &approval.draft;
    let state = format!("{:?}", approval.record.state).to_lowercase();
    let (id, version) = (&approval.record.id, approval.version);
    out.line(&format!("{} {id} ({state}, version {version})", out.ink(Ink::Bold, "approval")));
    out.line(&format!("  flow       {}   run {}", approval.terms.flow, approval.run));
    if let Some(control) = &approval.control {
        let by = approval.record.decided_by.as_ref().map_or_else(String::new, ToString::to_string);
        out.line(&format!("  control    {control}, approved by {by} for the whole flow"));
    }
    if let Some(reason) = approval.reason.as_ref().filter(|_| approval.record.state == ApprovalState::Expired) {
        out.line(&format!("  nobody decided in time; {}", clean(reason)));
    }
    let (summary, notes) = approval.summary.split_once(NOTES).unwrap_or((&approval.summary, ""));
    out.line(&format!("  summary    {}", clean(summary)));
    if !notes.is_empty() {
        out.line(&format!("  {} {}", out.ink(Ink::Warn, "look twice"), clean(notes)));
    }
    let mut reasons: Vec<String> = approval.reasons.iter().map(|r| clean(&r.to_string())).collect();
    reasons.dedup();
    for reason in reasons {
        out.line(&format!("  {}  {reason}", out.ink(Ink::Warn, "needs you")));
    }
    for finding in &draft.report.findings {
        out.line(&format!("  finding    {}", clean(&finding.to_string())));
    }
    match &rendered {
        Ok(message) => {
            out.line(&format!("\n{}", out.ink(Ink::Bold, "What goes out, word for word:")));
            out.line(&format!("  subject    {}", out.ink(Ink::Good, &clean(&message.subject))));
            out.line(&format!("  preheader  {}\n", clean(&fill(&draft.draft.preheader, draft))));
            message.text.lines().for_each(|line| out.line(&format!("  | {}", clean(line))));
        }
        Err(why) => out.line(&format!("  {} {}", out.ink(Ink::Bad, "it could not leave as it is:"), clean(why))),
    }
    out.line("");
    for other in draft.draft.subjects.iter().skip(1) {
        out.line(&format!("  not sent   {}", clean(&fill(other, draft))));
    }
    for (product, because) in &paths {
        out.line(&format!("  why shown  {}", clean(&format!("{product}: {because}"))));
    }
    let authors: Vec<&str> = approval.record.authors.iter().map(String::as_str).collect();
    out.line(&format!("  authors    {}", authors.join(", ")));
    out.line(&format!(
        "  you sign   {} (content {}, rules {})",
        approval.record.envelope.short(),
        approval.terms.content.short(),
        approval.terms.rules.short()
    ));
    route_lines(looked, out);
    if let Some(page) = page {
        out.line(&format!("  preview    file://{}", page.display()));
    }
    Ok(())
}

/// What signing takes, and what a decision names, for programs.
pub(super) fn with_route(value: &mut Value, looked: &Looked) {
    if let Some(fields) = value.as_object_mut() {
        fields.insert("seen".to_owned(), serde_json::json!(looked.seen));
        fields.insert("route".to_owned(), serde_json::json!(looked.route));
        fields.insert("signatures".to_owned(), serde_json::json!(looked.signatures));
        fields.insert("missing".to_owned(), serde_json::json!(looked.route.missing(&looked.signatures)));
    }
}

/// What signing takes, and what a decision names, for people.
pub(super) fn route_lines(looked: &Looked, out: &Out) {
    let route = &looked.route;
    for section in &route.sections {
        let because = if section.because.is_empty() {
            String::new()
        } else {
            format!(" because of {}", section.because.join(", "))
        };
        let signed = looked.signatures.iter().filter(|s| s.section == section.name);
        let signed: Vec<String> = signed.map(|s| format!("{} ({})", s.signer, s.standing)).collect();
        let state = if signed.is_empty() {
            format!("signed by {}", section.who_may())
        } else {
            out.ink(Ink::Good, &format!("signed: {}", signed.join(", ")))
        };
        out.line(&format!("  section    {} ({}){because}; {state}", section.name, section.owner));
    }
    if let Some(because) = &route.second_because {
        out.line(&format!("  {} two different people, because {because}", out.ink(Ink::Warn, "it takes  ")));
    }
    if let Some(count) = route.typed_count {
        out.line(&format!("  {} the number of people it goes to: {count}", out.ink(Ink::Warn, "you type  ")));
    }
    let escalates = if route.escalated { "escalated since" } else { "escalates " };
    out.line(&format!("  {escalates} {}", route.escalates_at));
    out.line(&format!("  lapses     {}", route.decide_by));
    out.line(&format!("  seen       {}", looked.seen));
}

/// The approval for programs.
pub(super) fn card(a: &Approval) -> Value {
    serde_json::json!({
        "approval": a.record.id, "state": a.record.state, "version": a.version, "run": a.run, "flow": a.terms.flow,
        "summary": a.summary, "reasons": a.reasons, "authors": a.record.authors, "envelope": a.record.envelope,
        "expires_at": a.record.expires_at, "control": a.control, "reason": a.reason, "draft": a.draft.draft, "facts": a.draft.facts, "findings": a.draft.report.findings,
    })
}

fn write_page(app: &App, approval: &Approval, message: &Rendered) -> Result<std::path::PathBuf, Failure> {
    let dir = app.store.dir().join("previews");
    let file = dir.join(format!("{}.html", approval.record.id));
    std::fs::create_dir_all(&dir)
        .and_then(|()| std::fs::write(&file, &message.html))
        .map_err(|e| Failure::new(format!("{}: {e}; free space or fix permissions", file.display())))?;
    Ok(std::fs::canonicalize(&file).unwrap_or(file))
}

/// For each product the message shows that the graph gave: its path in words and in ids, as the run's journal holds it.
async fn paths(app: &App, approval: &Approval) -> Result<BTreeMap<String, String>, Failure> {
    let shown = approval.draft.draft.cited();
    let mut paths = BTreeMap::new();
    for row in app.tenant.store.journal(&approval.run).await.map_err(failure)? {
        let Ok(Input::Tools { answers, .. }) = serde_json::from_str::<Input>(&row.body) else { continue };
        for answer in answers.iter().filter(|answer| !answer.is_error) {
            let Ok(Value::Object(said)) = serde_json::from_str(&answer.content) else { continue };
            for item in said.get("items").and_then(Value::as_array).into_iter().flatten() {
                let text = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default();
                if shown.iter().any(|id| id.as_str() == text("fact")) && !text("because").is_empty() {
                    let path = text("path");
                    let ids = if path.is_empty() { String::new() } else { format!(" ({path})") };
                    paths.insert(text("title").to_owned(), format!("{}{ids}", text("because")));
                }
            }
        }
    }
    Ok(paths)
}
