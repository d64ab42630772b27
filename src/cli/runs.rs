//! `mailwright runs list|show|start|resume`: what the agent did, and making it go on.

use std::sync::Arc;

use clap::{Args, Subcommand};
use kit::{CustomerId, FlowId, Role, RunId};

use super::app::{self, App, person};
use super::out::{Ink, Out, short};
use super::trace::{Trace, ending};
use super::{Failure, Global, failure};
use crate::runs::{Observer as _, Planner as _, Rest, Seed, replay};
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
    /// End a run that has not ended, without a message.
    #[command(
        after_help = "Example: mailwright runs end run-3f2a91c04d7e --as nora --reason \"the cart is a test of ours\""
    )]
    End {
        /// The run.
        id: RunId,
        /// Who you are.
        #[arg(long = "as", value_name = "NAME")]
        name: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Drive everything that is due: what a start of the server does.
    #[command(after_help = "Example: mailwright runs resume")]
    Resume,
}

pub(super) async fn run(global: &Global, args: RunsArgs, out: &Out) -> Result<(), Failure> {
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
        RunsCommand::Start { flow, customer } => start(&app, &flow, &customer, out).await,
        RunsCommand::Retry { id, name } => retry(&app, &id, &name, out).await,
        RunsCommand::End { id, name, reason } => end(&app, &id, &name, &reason, out).await,
        RunsCommand::Resume => resume(&app, out).await,
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

fn outcome(text: Option<&str>) -> serde_json::Value {
    text.and_then(|t| serde_json::from_str(t).ok()).unwrap_or(serde_json::Value::Null)
}

async fn show(app: &App, id: &RunId, out: &Out) -> Result<(), Failure> {
    let store = &app.tenant.store;
    let run = store
        .run(id)
        .await
        .map_err(failure)?
        .ok_or_else(|| Failure::new(format!("there is no run {id}; see `mailwright runs list`")))?;
    let seed: Seed = serde_json::from_str(&run.plan).map_err(failure)?;
    let rows = store.journal(id).await.map_err(failure)?;
    let started = rows.first().map_or(run.created_at, |row| row.at);
    let plan = app.tenant.plan(run.release, &seed, started).await.map_err(Failure::new)?;
    let story = replay(&run.plan, &rows, |_| plan).map_err(failure)?;
    out.value(&serde_json::json!({
        "run": run.id, "flow": run.flow, "customer": run.customer, "state": run.state, "release": run.release, "outcome": outcome(run.outcome.as_deref()),
        "steps": story.iter().map(|(step, input)| serde_json::json!({ "step": step, "input": input })).collect::<Vec<_>>(),
    }))?;
    out.line(&format!(
        "{} {} {} for {} ({})",
        out.ink(Ink::Bold, "run"),
        run.id,
        run.flow,
        run.customer,
        run.state.as_str()
    ));
    out.line(&format!("  occasion  {}   release {}   {} journal rows", run.occasion, run.release.short(), rows.len()));
    let trace = Trace::new(*out);
    for (step, input) in &story {
        trace.step(id, step, input);
    }
    match (&run.outcome, &run.wait_for) {
        (Some(text), _) => {
            let ended = serde_json::from_str(text).map_err(failure)?;
            out.line(&format!("  outcome   {}", ending(*out, &Rest::Done(ended))));
        }
        (None, Some(what)) => out.line(&format!("  waits for {what}")),
        (None, None) => {}
    }
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
    let who = person(name, Role::Admin)?;
    let again = app.tenant.retry_run(id, &who).await.map_err(failure)?.map_err(Failure::new)?;
    out.line(&format!("{} {again} takes the place of {id}", out.ink(Ink::Bold, "run")));
    let rest = app.tenant.driver(Arc::new(Trace::new(*out))).drive(&again).await.map_err(failure)?;
    out.line(&format!("  {}", ending(*out, &rest)));
    out.value(&serde_json::json!({ "run": again, "instead_of": id, "rest": ending(Out::plain(), &rest) }))
}

async fn end(app: &App, id: &RunId, name: &str, reason: &str, out: &Out) -> Result<(), Failure> {
    let who = person(name, Role::Admin)?;
    let silent = Arc::new(crate::runs::Silent);
    let done = app.tenant.end_run(id, &who, app::reason(reason)?, silent).await.map_err(failure)?;
    done.map_err(Failure::new)?;
    out.line(&format!("{} {id} by {name}: no message", out.ink(Ink::Warn, "ended")));
    out.value(&serde_json::json!({ "run": id, "ended": true }))
}

async fn resume(app: &App, out: &Out) -> Result<(), Failure> {
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
