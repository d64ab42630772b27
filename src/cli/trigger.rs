//! `mailwright trigger SOURCE TOPIC FILE`: one webhook body through the real pipeline, printed as a trace.

use std::path::PathBuf;
use std::sync::Arc;

use agent::Outcome;
use clap::Args;
use kit::message::{Channel, ConsentState};
use shop::{Delivery, Source};

use super::app::App;
use super::out::{Ink, Out};
use super::trace::{Trace, ending};
use super::{Failure, Global, failure};
use crate::clock::SetClock;
use crate::control::Command;
use crate::intake::{Intake, IntakeError};
use crate::runs::Rest;
use crate::store::{Consent, RunState};
use crate::tenant::Tenant;

/// Bodies beyond this are refused unread, as the server does.
const MAX_FILE_BYTES: u64 = 4 << 20;

#[derive(Debug, Args)]
#[command(after_help = "Example: mailwright trigger generic cart.updated cart.json")]
pub(super) struct TriggerArgs {
    /// Who speaks: shopify or generic.
    source: String,
    /// The topic by the source's own name, such as checkouts/update or cart.updated.
    topic: String,
    /// The body, exactly as the platform sends it.
    file: PathBuf,
    /// The platform's event id (Shopify: X-Shopify-Event-Id); default: a digest of the body.
    #[arg(long)]
    event_id: Option<String>,
    /// Leave runs to their timers instead of driving them at once.
    #[arg(long)]
    wait: bool,
    /// Judge the event by the time in its body instead of as if it had just happened.
    #[arg(long)]
    keep_time: bool,
    /// Record an opt-in to e-mail for the body's customer first, to try a body out.
    #[arg(long)]
    assume_consent: bool,
}

#[derive(Debug, serde::Serialize)]
struct Report {
    intake: Intake,
    rests: Vec<(String, String)>,
}

pub(super) async fn run(global: &Global, args: TriggerArgs, out: &Out) -> Result<(), Failure> {
    let source: Source = args.source.parse().map_err(failure)?;
    let body = read(&args.file)?;
    let order = Command::Trigger {
        source: args.source.clone(),
        topic: args.topic.clone(),
        event_id: args.event_id.clone(),
        body: hex::encode(&body),
    };
    if let Some(told) = super::beside::ask(global, order).await? {
        out.line("Taken in by the process that drives this data folder; its runs begin at their time.");
        return out.value(&serde_json::json!({ "intake": told, "rests": [] }));
    }
    let clock =
        Arc::new(SetClock::at(global.at.unwrap_or_else(|| crate::clock::Clock::now(&crate::clock::SystemClock))));
    let app = App::with_clock(global, out, clock.clone()).await?;
    let report = fire(&app.tenant, &clock, source, &args, &body, &super::app::again(global), out).await?;
    out.value(&report)?;
    app.close().await;
    Ok(())
}

#[allow(clippy::too_many_arguments)] // One story, told in order.
async fn fire(
    tenant: &Arc<Tenant>,
    clock: &SetClock,
    source: Source,
    args: &TriggerArgs,
    body: &[u8],
    again: &str,
    out: &Out,
) -> Result<Report, Failure> {
    use crate::clock::Clock as _;
    let now = clock.now();
    let delivery = Delivery {
        source,
        topic: &args.topic,
        body,
        event_id: args.event_id.as_deref(),
        triggered_at: (!args.keep_time).then_some(now),
        received_at: now,
    };
    let intake = tenant.take_in(&delivery).await.map_err(|error| match error {
        IntakeError::Webhook(_) | IntakeError::Product(_) => {
            Failure::new(format!("{}: {error}; nothing was taken in", args.file.display()))
        }
        IntakeError::Store(error) => failure(error),
    })?;
    out.line(&format!(
        "{} {} {} ({})",
        out.ink(Ink::Bold, "event"),
        source,
        args.topic,
        out.ink(Ink::Dim, intake.event.as_str())
    ));
    let mut intake = intake;
    if intake.repeated {
        out.line("  this delivery came before: nothing is done twice (--event-id NEW makes it another event)");
        // Tried once more by hand: what could not begin then, or ended for a cause that has passed, may begin now.
        intake = tenant.take_up(&delivery, intake).await.map_err(failure)?;
    }
    if args.assume_consent {
        assume_consent(tenant, &intake, now).await?;
    }
    if let Some(what) = &intake.unfinished {
        out.line(&format!("  {}", out.ink(Ink::Warn, what)));
    }
    if let Some(what) = &intake.done {
        out.line(&format!("  {what}"));
    }
    for run in &intake.cancelled {
        out.line(&format!("  calls off {run}"));
    }
    for skipped in &intake.skipped {
        out.line(&format!("  {} does not begin: {}", skipped.flow, skipped.reason));
    }
    if intake.skipped.iter().any(|skipped| skipped.reason.contains("catalogue")) {
        out.line("  bodies that fit the sample shop lie in knowledge/sample-shop/webhooks");
    }
    if intake.runs.is_empty() && intake.skipped.is_empty() && !intake.repeated {
        out.line("  worked in; no flow listens to this topic");
    }
    let mut rests = Vec::new();
    let driver = tenant.driver(Arc::new(Trace::new(*out)));
    let runs = intake.cancelled.iter().map(|run| (run, None)).chain(intake.runs.iter().map(|a| (&a.run, Some(a.due))));
    for (run, due) in runs {
        let row = tenant.store.run(run).await.map_err(failure)?;
        let delayed = row.is_some_and(|row| row.state == RunState::Delayed);
        if let Some(due) = due.filter(|due| delayed && *due > clock.now()) {
            let early = if args.wait { "left to its timer" } else { "run now, ahead of its timer (--wait leaves it)" };
            out.line(&format!("{} {run} is due at {due}: {early}", out.ink(Ink::Bold, "run")));
            if args.wait {
                continue;
            }
            clock.set(due);
        } else {
            out.line(&format!("{} {run}", out.ink(Ink::Bold, "run")));
        }
        let rest = driver.drive(run).await.map_err(failure)?;
        out.line(&format!("  {}", ending(*out, &rest)));
        if matches!(&rest, Rest::Done(Outcome::NoSend(why)) if why.code == "no_consent") {
            out.line("  to try the body out all the same: --assume-consent records an opt-in of its customer");
        }
        if let Rest::Approval { approval, .. } = &rest {
            out.line(&format!(
                "  decide with: mailwright approvals show {approval}{0}, then: mailwright approvals approve {approval} --as NAME{0}",
                again
            ));
        }
        rests.push((run.to_string(), ending(Out::new(true), &rest)));
    }
    Ok(Report { intake, rests })
}

async fn assume_consent(tenant: &Tenant, intake: &Intake, now: kit::Timestamp) -> Result<(), Failure> {
    for admitted in &intake.runs {
        let Some(run) = tenant.store.run(&admitted.run).await.map_err(failure)? else { continue };
        if tenant.store.consent(&run.customer, Channel::Email).await.map_err(failure)? == ConsentState::None {
            let consent = Consent {
                channel: Channel::Email,
                state: ConsentState::Subscribed,
                at: now,
                source: "command line: --assume-consent".to_owned(),
                wording: "none shown".to_owned(),
            };
            tenant.store.add_consents(vec![(run.customer, consent)]).await.map_err(failure)?;
        }
    }
    Ok(())
}

/// Reads a file with its limit, naming it in every error.
pub(super) fn read(file: &PathBuf) -> Result<Vec<u8>, Failure> {
    let say = |why: String| Failure::new(format!("{}: {why}", file.display()));
    let size = std::fs::metadata(file).map_err(|e| say(e.to_string()))?.len();
    if size > MAX_FILE_BYTES {
        return Err(say(format!("{size} bytes; at most {MAX_FILE_BYTES} are read")));
    }
    std::fs::read(file).map_err(|e| say(e.to_string()))
}
