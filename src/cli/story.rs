//! The whole story of a run in words: the event, the timer, the steps, the people, the ledger, the ending.

use kit::Timestamp;
use serde_json::{Value, json};

use super::app::App;
use super::out::{Ink, Out, short};
use super::trace::Trace;
use super::{Failure, failure};
use crate::runs::{Observer as _, Replayed};
use crate::spend::dollars;
use crate::store::{Approval, SendRow, SpendRow, Timer};

pub(super) async fn tell(app: &App, replayed: &Replayed, out: &Out) -> Result<(), Failure> {
    let (store, run) = (&app.tenant.store, &replayed.run);
    let timers = store.timers(&run.id).await.map_err(failure)?;
    let approvals = store.approvals_of(&run.id).await.map_err(failure)?;
    let sends = store.sends_of(&run.id).await.map_err(failure)?;
    let spend = store.spend_of(&run.id).await.map_err(failure)?;
    out.value(&json!({
        "run": run.id, "flow": run.flow, "customer": run.customer, "state": run.state, "release": run.release,
        "outcome": super::runs::outcome(run.outcome.as_deref()), "triggered_at": replayed.seed.subject.triggered_at,
        "spend": spend.iter().map(spent).collect::<Vec<_>>(),
        "timers": timers, "approvals": approvals.iter().map(decided).collect::<Vec<_>>(), "sends": sends,
        "steps": replayed.story.iter().map(|(step, input)| json!({ "step": step, "input": input })).collect::<Vec<_>>(),
    }))?;
    let state = run.state.as_str();
    out.line(&format!("{} {} {} for {} ({state})", out.ink(Ink::Bold, "run"), run.id, run.flow, run.customer));
    out.line(&format!(
        "  occasion  {}   release {}   {} journal rows",
        run.occasion,
        run.release.short(),
        replayed.rows
    ));
    let say = |what: &str, text: &str| out.line(&format!("  {what:<9} {text}"));
    say("event", &format!("it happened {}", when(replayed.seed.subject.triggered_at)));
    for timer in &timers {
        say("timer", &told(timer));
    }
    let trace = Trace::new(*out);
    for (step, input) in &replayed.story {
        trace.step(&run.id, step, input);
    }
    for approval in &approvals {
        say("person", &asked(approval));
    }
    for send in &sends {
        say("ledger", &entered(send));
    }
    if let Some(cost) = cost(&spend) {
        say("spent", &cost);
    }
    match (&run.outcome, &run.wait_for) {
        (Some(text), _) => say("outcome", &short(text, 160)),
        (None, Some(what)) => {
            let until = run.wake_at.map_or_else(String::new, |at| format!("; looked at again {}", when(at)));
            say("now", &format!("waits for {what}{until}"));
        }
        (None, None) => {}
    }
    Ok(())
}

fn when(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn told(timer: &Timer) -> String {
    let set = format!("set by {} to begin {}", short(&timer.cause, 60), when(timer.due_at));
    match (timer.ended.as_deref(), timer.ended_at) {
        (Some("moved"), _) => format!("{set}; a later event moved it"),
        (Some("fired"), Some(at)) => format!("{set}; begun {}", when(at)),
        (Some(_), Some(at)) => format!("{set}; begun ahead of that, {}", when(at)),
        (_, _) => set,
    }
}

fn asked(approval: &Approval) -> String {
    let id = &approval.record.id;
    let state = format!("{:?}", approval.record.state).to_lowercase();
    let by = approval.record.decided_by.as_ref().map_or_else(String::new, |who| format!(" by {who}"));
    let at = approval.decided_at.map_or_else(String::new, |at| format!(" {}", when(at)));
    let reason = approval.reason.as_deref().map_or_else(String::new, |words| format!(": {}", short(words, 80)));
    format!("{id} asked {}, {state}{by}{at}{reason}", when(approval.created_at))
}

fn decided(approval: &Approval) -> Value {
    json!({
        "approval": approval.record.id, "state": approval.record.state, "asked_at": approval.created_at,
        "decided_at": approval.decided_at, "decided_by": approval.record.decided_by.as_ref().map(kit::Principal::name),
        "reason": approval.reason,
    })
}

fn entered(send: &SendRow) -> String {
    let settled = send.settled_at.map_or_else(|| "not settled".to_owned(), when);
    let key: String = send.key.chars().take(12).collect();
    format!("{key} reserved {}, {} {settled}", when(send.reserved_at), send.state.as_str())
}

fn spent(call: &SpendRow) -> Value {
    json!({
        "call": call.call, "profile": call.profile, "reserved_micros": call.reserved, "settled_micros": call.settled, "at": call.at,
    })
}

/// What a run's models cost; nothing when none of them is paid for.
fn cost(calls: &[SpendRow]) -> Option<String> {
    if calls.is_empty() {
        return None;
    }
    let counted = calls.iter().map(|call| call.settled.unwrap_or(call.reserved)).sum();
    let open = calls.iter().filter(|call| call.settled.is_none()).count();
    let open = if open == 0 {
        String::new()
    } else {
        format!(", {open} of them at their estimate: what they cost was never heard")
    };
    Some(format!("{} in {} paid calls{open}", dollars(counted), calls.len()))
}
