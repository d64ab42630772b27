//! `mailwright runs list|show|replay|diff|start|resume`: what the agent did, and making it go on.

use std::sync::Arc;

use clap::{Args, Subcommand};
use jiff::SignedDuration;
use kit::{CustomerId, FlowId, Role, RunId};

use super::app::{self, App};
use super::out::{Ink, Out, short};
use super::trace::{Trace, ending};
use super::{Failure, Global, failure};
use crate::control::Command;
use crate::runs::{Replayed, Rest};
use crate::store::{RunState, ShopStore};

#[derive(Debug, Args)]
#[command(after_help = "Example: mailwright runs list")]
pub(super) struct RunsArgs {
    #[command(subcommand)]
    command: RunsCommand,
}

#[derive(Debug, Subcommand)]
enum RunsCommand {
    /// Runs, newest first.
    #[command(after_help = "Example: mailwright runs list")]
    List,
    /// The whole story of a run, replayed from its journal.
    #[command(after_help = "Example: mailwright runs show run-3f2a91c04d7e")]
    Show {
        /// The run.
        id: RunId,
    },
    /// Fold the journal offline: the same steps to the same end, or the first row that does not follow.
    #[command(after_help = "Example: mailwright runs replay run-3f2a91c04d7e")]
    Replay {
        /// The run.
        id: RunId,
    },
    /// The run once more without any outside effect, beside what it was: with another model (--model, --base-url, --config)
    /// or another release.
    #[command(after_help = "Example: mailwright runs diff run-3f2a91c04d7e --model offline")]
    Diff {
        /// The run.
        id: RunId,
        /// The release whose prompts, rules and offers count; default: the run's own.
        #[arg(long, value_name = "RELEASE")]
        release: Option<kit::Digest>,
    },
    /// Remove journals of runs that ended long ago; approvals, sends and the audit trail stay.
    #[command(after_help = "Example: mailwright runs prune --older-than-days 90 --as nora")]
    Prune {
        /// Ended at least this many days ago.
        #[arg(long, value_name = "DAYS")]
        older_than_days: u32,
        /// Who you are.
        #[arg(long = "as", value_name = "NAME")]
        name: String,
    },
    /// Begin a flow for a customer by hand, now.
    #[command(after_help = "Example: mailwright runs start win-back C-000042")]
    Start {
        /// The flow.
        flow: FlowId,
        /// The customer.
        customer: CustomerId,
    },
    /// Take a parked run's occasion up once more, from its beginning.
    #[command(after_help = "Example: mailwright runs retry run-3f2a91c04d7e --as nora")]
    Retry {
        /// The run.
        id: RunId,
        /// Who you are.
        #[arg(long = "as", value_name = "NAME")]
        name: String,
    },
    /// Drive everything that is due: what a start of the server does. With a run: that one, also when it was parked because a
    /// step failed too often.
    #[command(after_help = "Example: mailwright runs resume")]
    Resume {
        /// The run.
        id: Option<RunId>,
    },
    /// Call a run off, whatever it is doing, without a message; a parked one too.
    #[command(after_help = "Example: mailwright runs cancel run-3f2a91c04d7e --as nora --reason \"asked us not to\"")]
    Cancel {
        /// The run.
        id: RunId,
        /// Who you are.
        #[arg(long = "as", value_name = "NAME")]
        name: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

pub(super) async fn run(global: &Global, args: RunsArgs, out: &Out) -> Result<(), Failure> {
    let order = match &args.command {
        RunsCommand::Cancel { id, name, reason } => {
            Some(Command::Cancel { run: id.clone(), by: name.clone(), reason: reason.clone() })
        }
        RunsCommand::Resume { id } => Some(Command::Resume { run: id.clone() }),
        RunsCommand::List
        | RunsCommand::Show { .. }
        | RunsCommand::Replay { .. }
        | RunsCommand::Diff { .. }
        | RunsCommand::Prune { .. }
        | RunsCommand::Retry { .. }
        | RunsCommand::Start { .. } => None,
    };
    if let Some(order) = order
        && let Some(told) = super::beside::ask(global, order).await?
    {
        out.line("Done by the process that drives this data folder.");
        return out.value(&told);
    }
    if let RunsCommand::List = args.command {
        let (store, _) = app::open_store(global).await?;
        let done = list(&store, out).await;
        store.store().clone().close().await;
        return done;
    }
    let app = App::existing(global, out).await?;
    let done = match args.command {
        RunsCommand::List => Ok(()),
        RunsCommand::Show { id } => show(&app, &id, out).await,
        RunsCommand::Replay { id } => replay(&app, &id, out).await,
        RunsCommand::Diff { id, release } => super::diff::run(&app, global, &id, release, out).await,
        RunsCommand::Prune { older_than_days, name } => prune(&app, older_than_days, &name, out).await,
        RunsCommand::Start { flow, customer } => start(&app, &flow, &customer, out).await,
        RunsCommand::Resume { id } => resume(&app, id, out).await,
        RunsCommand::Cancel { id, name, reason } => cancel(&app, &id, &name, &reason, out).await,
        RunsCommand::Retry { id, name } => retry(&app, &id, &name, out).await,
    };
    app.close().await;
    done
}

async fn list(store: &ShopStore, out: &Out) -> Result<(), Failure> {
    let runs = store.runs(200).await.map_err(failure)?;
    let json: Vec<_> = runs
        .iter()
        .map(|r| serde_json::json!({ "run": r.id, "flow": r.flow, "customer": r.customer, "state": r.state, "waits_for": r.wait_for, "wake_at": r.wake_at, "outcome": outcome(r.outcome.as_deref()) }))
        .collect();
    out.value(&json)?;
    let rows: Vec<Vec<String>> = runs
        .iter()
        .map(|r| {
            let ended = r.outcome.as_deref().and_then(|text| serde_json::from_str(text).ok());
            let waits = || r.wait_for.as_deref().map(|what| format!("waits for {what}")).unwrap_or_default();
            let how = ended.map_or_else(waits, |outcome| ending(Out::plain(), &Rest::Done(outcome)));
            vec![
                r.id.to_string(),
                r.flow.to_string(),
                r.customer.to_string(),
                r.state.as_str().to_owned(),
                short(&how, 70),
            ]
        })
        .collect();
    out.table(&["run", "flow", "customer", "state", "how"], &rows);
    Ok(())
}

pub(super) fn outcome(text: Option<&str>) -> serde_json::Value {
    text.and_then(|t| serde_json::from_str(t).ok()).unwrap_or(serde_json::Value::Null)
}

async fn show(app: &App, id: &RunId, out: &Out) -> Result<(), Failure> {
    let replayed = app.tenant.replay(id).await.map_err(failure)?;
    super::story::tell(app, &replayed, out).await
}

async fn prune(app: &App, days: u32, name: &str, out: &Out) -> Result<(), Failure> {
    let who = app.who(name, Role::Admin, "runs prune").await?;
    let now = app.tenant.clock.now();
    let before = now.checked_sub(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(now);
    let pruned = app.tenant.store.prune_journals(before, &who, now).await.map_err(failure)?;
    out.line(&format!(
        "{pruned} journal(s) of runs that ended before {before} are pruned; what became of the runs stays"
    ));
    out.value(&serde_json::json!({ "pruned": pruned, "ended_before": before }))
}

async fn replay(app: &App, id: &RunId, out: &Out) -> Result<(), Failure> {
    let Replayed { run, rows, machine, story, next, state_compared, .. } =
        app.tenant.replay(id).await.map_err(failure)?;
    let steps: Vec<&str> = story.iter().map(|(_, input)| input.what()).collect();
    out.value(&serde_json::json!({
        "run": run.id, "equal": true, "rows": rows, "machine_version": machine, "program_version": agent::MACHINE_VERSION,
        "state_compared": state_compared, "steps": steps, "next": next,
    }))?;
    let version = machine.map_or_else(|| "of the first binaries".to_owned(), |version| version.to_string());
    out.line(&format!("{} {id}: {rows} journal rows, begun by machine version {version}", out.ink(Ink::Bold, "run")));
    for (position, what) in steps.iter().enumerate() {
        out.line(&format!("  {:>3}  {what}", position + 1));
    }
    let compared = if state_compared { ", and the state stored at its last rest is the same" } else { "" };
    let words = format!("replayed offline: every row follows, and it ends as noted{compared}");
    out.line(&format!("  {}", out.ink(Ink::Good, &words)));
    Ok(())
}

async fn start(app: &App, flow: &FlowId, customer: &CustomerId, out: &Out) -> Result<(), Failure> {
    let admitted = app.tenant.start_flow(flow, customer).await.map_err(failure)?.map_err(Failure::new)?;
    let known = app.tenant.store.run(&admitted.run).await.map_err(failure)?;
    let before = match known.map(|run| run.state) {
        Some(RunState::Done) => " (this occasion was taken up before; how it ended:)",
        Some(_) if !admitted.new => " (begun before, and not ended)",
        Some(_) | None => "",
    };
    out.line(&format!("{} {}{before}", out.ink(Ink::Bold, "run"), admitted.run));
    app.tenant.store.wake(&admitted.run, app.tenant.clock.now()).await.map_err(failure)?;
    let rest = app.tenant.driver(Arc::new(Trace::new(*out))).drive(&admitted.run).await.map_err(failure)?;
    out.line(&format!("  {}", ending(*out, &rest)));
    out.value(&serde_json::json!({ "run": admitted.run, "rest": ending(Out::new(true), &rest) }))
}

async fn retry(app: &App, id: &RunId, name: &str, out: &Out) -> Result<(), Failure> {
    let who = app.who(name, Role::Admin, "runs retry").await?;
    let again = app.tenant.retry_run(id, &who).await.map_err(failure)?.map_err(Failure::new)?;
    out.line(&format!("{} {again} takes the place of {id}", out.ink(Ink::Bold, "run")));
    let rest = app.tenant.driver(Arc::new(Trace::new(*out))).drive(&again).await.map_err(failure)?;
    out.line(&format!("  {}", ending(*out, &rest)));
    out.value(&serde_json::json!({ "run": again, "instead_of": id, "rest": ending(Out::plain(), &rest) }))
}

async fn cancel(app: &App, id: &RunId, name: &str, reason: &str, out: &Out) -> Result<(), Failure> {
    let who = app.who(name, Role::Marketer, "runs cancel").await?;
    app.tenant.cancel_run(id, &who, app::reason(reason)?).await.map_err(failure)?;
    let rest = app.tenant.driver(Arc::new(Trace::new(*out))).drive(id).await.map_err(failure)?;
    out.line(&format!("{id} {}", ending(*out, &rest)));
    out.value(&serde_json::json!({ "run": id, "rest": ending(Out::new(true), &rest) }))
}

async fn resume(app: &App, id: Option<RunId>, out: &Out) -> Result<(), Failure> {
    if let Some(id) = id {
        app.tenant.resume_run(&id).await.map_err(failure)?;
    }
    let rests = app.tenant.recover(Arc::new(Trace::new(*out))).await.map_err(failure)?;
    out.value(
        &rests
            .iter()
            .map(|(run, rest)| serde_json::json!({ "run": run, "rest": ending(Out::new(true), rest) }))
            .collect::<Vec<_>>(),
    )?;
    for (run, rest) in &rests {
        out.line(&format!("{run} {}", ending(*out, rest)));
    }
    if rests.is_empty() {
        out.line("Nothing was due.");
    }
    Ok(())
}
