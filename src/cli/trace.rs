//! A run as a story: each step a line or two, as it happens.

use agent::{ApprovalDecision, Input, Outcome, Step};
use kit::RunId;
use kit::message::{DraftRecord, Severity};
use kit::tool::Disposition;
use serde_json::Value;

use super::out::{Ink, Out, clean, short};
use crate::runs::{Observer, Rest};
use crate::spend::dollars;

/// Prints steps as they are performed.
pub(super) struct Trace {
    out: Out,
}

impl Trace {
    pub(super) fn new(out: Out) -> Self {
        Self { out }
    }

    fn say(&self, what: &str, ink: Ink, text: &str) {
        self.out.line(&format!("  {} {text}", self.out.ink(ink, &format!("{what:<9}"))));
    }

    fn draft(&self, draft: &DraftRecord, needs_approval: &[String]) {
        let message = &draft.draft;
        for (i, subject) in message.subjects.iter().enumerate() {
            self.say(if i == 0 { "subject" } else { "" }, Ink::Good, &fill(subject, draft));
        }
        self.say("preheader", Ink::Good, &fill(&message.preheader, draft));
        for block in &message.blocks {
            let texts: Vec<String> = block.texts().into_iter().map(|(_, text)| fill(text, draft)).collect();
            let title =
                block.fact().and_then(|id| draft.facts.get(id)).and_then(|f| f.text("title")).unwrap_or_default();
            let parts =
                [title, &texts.join(" ")].iter().filter(|t| !t.is_empty()).copied().collect::<Vec<_>>().join(" – ");
            self.say("", Ink::Dim, &short(&parts, 150));
        }
        if draft.report.findings.is_empty() {
            self.say("findings", Ink::Good, "none: every content rule passed");
        }
        for finding in &draft.report.findings {
            let ink = if finding.severity == Severity::Warn { Ink::Dim } else { Ink::Warn };
            self.say("finding", ink, &short(&finding.to_string(), 160));
        }
        let mut said = std::collections::BTreeSet::new();
        for reason in needs_approval.iter().filter(|reason| said.insert(reason.as_str())) {
            self.say("needs you", Ink::Warn, &clean(reason));
        }
    }
}

impl Observer for Trace {
    fn step(&self, _: &RunId, step: &Step, input: &Input) {
        match input {
            Input::Model { reply, .. } => {
                let calls: Vec<&str> = reply.calls.iter().map(|c| c.name.as_str()).collect();
                let usage = &reply.usage;
                let tokens = usage.input_tokens + usage.output_tokens;
                let price = match (tokens, usage.unpriced) {
                    (0, false) => String::new(),
                    (_, true) => format!(" ({tokens} tokens, cost unknown)"),
                    (_, false) => format!(" ({tokens} tokens, {})", dollars(usage.cost_micros)),
                };
                let words = if calls.is_empty() {
                    format!("no call: {}", short(reply.text.as_deref().unwrap_or(""), 80))
                } else {
                    calls.join(", ")
                };
                self.say("model", Ink::Name, &format!("{} → {words}{price}", short(&reply.model, 40)));
            }
            Input::ModelFailed { fault, .. } => self.say("model", Ink::Bad, &fault.why),
            Input::Tools { answers, .. } => {
                let Step::RunTools { calls } = step else { return };
                for ((_, call), answer) in calls.iter().zip(answers) {
                    let ink = if answer.is_error { Ink::Bad } else { Ink::Dim };
                    self.say(
                        "tool",
                        ink,
                        &format!(
                            "{}({}) → {}",
                            call.name,
                            short(&call.arguments, 60),
                            gist(&answer.content, answer.is_error)
                        ),
                    );
                    match &answer.disposition {
                        Some(Disposition::Drafted { draft, needs_approval }) => self.draft(draft, needs_approval),
                        Some(Disposition::AwaitApproval { approval, expires_at }) => {
                            self.say(
                                "approval",
                                Ink::Warn,
                                &format!("{approval} waits for a person until {expires_at}"),
                            );
                        }
                        Some(Disposition::Queued { state }) => self.say("ledger", Ink::Good, state.as_str()),
                        Some(Disposition::Held { hold }) => self.say("held", Ink::Warn, &hold.to_string()),
                        Some(Disposition::Written { copy }) => {
                            self.say("copy", Ink::Good, &format!("{} subjects", copy.subjects.len()));
                        }
                        Some(Disposition::Briefed { brief }) => {
                            self.say("brief", Ink::Good, &format!("version {}", brief.version));
                        }
                        Some(Disposition::Asked { questions }) => {
                            questions.iter().for_each(|q| self.say("question", Ink::Warn, &short(&q.text, 150)));
                        }
                        Some(Disposition::Offered { choices }) => {
                            choices.iter().for_each(|c| self.say("choice", Ink::Warn, &short(&c.why, 150)));
                        }
                        Some(Disposition::NoSend(_)) | None => {}
                    }
                }
            }
            Input::Approval { approval, decision, .. } => {
                let words = match decision {
                    ApprovalDecision::Approved => "approved".to_owned(),
                    ApprovalDecision::Rejected { reason, revise: true } => format!("sent back: {reason}"),
                    ApprovalDecision::Rejected { reason, revise: false } => format!("rejected: {reason}"),
                    ApprovalDecision::Edited { approval, .. } => format!("edited; {approval} takes its place"),
                    ApprovalDecision::Expired => "nobody decided in time".to_owned(),
                    ApprovalDecision::Lapsed { why } => {
                        format!("nobody decided in time, and the control stayed: {why}")
                    }
                    ApprovalDecision::Control { control, approval, .. } => {
                        format!("nobody decided in time; the control {control} goes out in its place, by {approval}")
                    }
                };
                self.say("approval", Ink::Warn, &format!("{approval} {words}"));
            }
            Input::SwitchedModel { profile, .. } => self.say("model", Ink::Warn, &format!("continued with {profile}")),
            Input::NoMoreModels { .. } => self.say("model", Ink::Bad, "no other model is left"),
            Input::Delivery { result: Ok(state), .. } => self.say("ledger", Ink::Good, state.as_str()),
            Input::Delivery { result: Err(hold), .. } => self.say("held", Ink::Warn, &hold.to_string()),
            Input::Released { .. } => self.say("released", Ink::Good, "the cause of the hold has passed"),
            Input::Marketer { text, .. } => self.say("marketer", Ink::Name, &short(text, 150)),
            Input::BriefEdited { note, .. } => self.say("marketer", Ink::Name, &short(note, 150)),
            Input::Stopped { .. } => self.say("marketer", Ink::Warn, "stopped the turn"),
            Input::Fatal { why, .. } => self.say("failed", Ink::Bad, why),
            Input::Cancelled { reason, .. } => {
                self.say("stopped", Ink::Warn, &format!("{}: {}", reason.code, reason.reason))
            }
        }
    }
}

/// How a drive ended, in a line.
pub(super) fn ending(out: Out, rest: &Rest) -> String {
    match rest {
        Rest::Done(Outcome::Delivered { state }) => out.ink(Ink::Good, &format!("delivered ({})", state.as_str())),
        Rest::Done(Outcome::NoSend(reason)) => {
            out.ink(Ink::Warn, &format!("no message: {} – {}", reason.code, reason.reason))
        }
        Rest::Done(Outcome::Written { copy }) => {
            out.ink(Ink::Good, &format!("written: {} subjects", copy.subjects.len()))
        }
        Rest::Done(Outcome::Held { hold }) => out.ink(Ink::Warn, &format!("held for good: {hold}")),
        Rest::Done(Outcome::Parked(reason)) => {
            out.ink(Ink::Bad, &format!("parked for an operator: {} – {}", reason.code, reason.text))
        }
        Rest::Approval { approval, until } => {
            out.ink(Ink::Warn, &format!("waits for approval {approval} until {until}"))
        }
        Rest::Held { hold, at: Some(at) } => out.ink(Ink::Warn, &format!("held until {at}: {hold}")),
        Rest::Held { hold, at: None } => out.ink(Ink::Warn, &format!("held until the cause is lifted: {hold}")),
        Rest::Marketer { .. } => out.ink(Ink::Warn, "waits for the marketer"),
        Rest::Delayed { until } => out.ink(Ink::Dim, &format!("waits until {until}")),
    }
}

/// The text with its placeholders filled from the cited facts, for reading on a terminal.
pub(super) fn fill(text: &str, draft: &DraftRecord) -> String {
    use kit::FactValue;
    use kit::placeholder::{Piece, Slot, parse};
    let Ok(pieces) = parse(text) else { return clean(text) };
    pieces
        .into_iter()
        .map(|piece| match piece {
            Piece::Text { text, .. } => clean(text),
            Piece::Slot { slot: Slot::Fact { id, field }, .. } => {
                match draft.facts.get(&id).and_then(|f| f.field(&field)) {
                    Some(FactValue::Text { text, .. } | FactValue::Url { url: text }) => clean(text),
                    Some(FactValue::Money { money }) => money.display_in(&draft.draft.language),
                    Some(FactValue::Count { count }) => count.to_string(),
                    Some(FactValue::Time { at }) => at.strftime("%-d %B %Y").to_string(),
                    Some(FactValue::Products { .. }) | None => format!("{{{{{id}.{field}}}}}"),
                }
            }
            Piece::Slot { slot: Slot::FirstName, .. } => "‹first name›".to_owned(),
            Piece::Slot { slot: Slot::ShopName, .. } => "‹shop›".to_owned(),
        })
        .collect()
}

/// An answer in a line: plain fields as they are, lists by their length.
fn gist(content: &str, is_error: bool) -> String {
    if is_error {
        return short(content, 150);
    }
    let Ok(Value::Object(fields)) = serde_json::from_str::<Value>(content) else { return short(content, 150) };
    let parts: Vec<String> = fields
        .iter()
        .filter_map(|(name, value)| match value {
            Value::Array(items) => Some(format!("{name}: {}", items.len())),
            Value::Object(_) => Some(format!("{name}: …")),
            Value::String(text) => Some(format!("{name}: {}", short(text, 40))),
            Value::Null => None,
            Value::Bool(_) | Value::Number(_) => Some(format!("{name}: {value}")),
        })
        .collect();
    short(&parts.join(", "), 160)
}
