//! `mailwright kill on|off|list`: stop sending, over every channel, at once.

use clap::{Args, Subcommand};
use kit::{Role, Timestamp};
use serde_json::Value;

use super::app;
use super::out::Out;
use super::{Failure, Global, failure};
use crate::access::{self, Shown};
use crate::control::Command;
use crate::runs::Signal;
use crate::store::{SEGMENTS, ShopStore};

#[derive(Debug, Args)]
#[command(after_help = "Example: mailwright kill list")]
pub(super) struct KillArgs {
    #[command(subcommand)]
    command: KillCommand,
}

#[derive(Debug, Subcommand)]
enum KillCommand {
    /// Stop.
    #[command(after_help = "Example: mailwright kill on flow:win-back --as nora --reason \"wrong prices\"")]
    On {
        /// `global`, `shop`, `flow:ID`, `segment:NAME`, or `esp:NAME`.
        scope: String,
        /// Who you are.
        #[arg(long = "as", value_name = "NAME")]
        name: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Go on; held messages are tried again with every check.
    #[command(after_help = "Example: mailwright kill off flow:win-back --as nora")]
    Off {
        /// `global`, `shop`, `flow:ID`, `segment:NAME`, or `esp:NAME`.
        scope: String,
        /// Who you are.
        #[arg(long = "as", value_name = "NAME")]
        name: String,
    },
    /// What is stopped.
    #[command(after_help = "Example: mailwright kill list")]
    List,
}

pub(super) async fn run(global: &Global, args: KillArgs, out: &Out) -> Result<(), Failure> {
    // The store alone: stopping must work when a release, a product or a key is damaged.
    let (store, now) = app::open_store(global).await?;
    let done = match beside(global, &store, &args.command).await {
        Ok(Some(told)) => {
            out.line("Done by the process that drives this data folder.");
            out.value(&told)
        }
        // Stopping must not hang on a process that does not answer: the switch is in the database, where everybody looks.
        Ok(None) => perform(&store, args.command, now, out).await,
        Err(failure) => Err(failure),
    };
    store.store().clone().close().await;
    done
}

async fn beside(global: &Global, store: &ShopStore, command: &KillCommand) -> Result<Option<Value>, Failure> {
    let Some(order) = order(command) else { return Ok(None) };
    if let KillCommand::On { scope, .. } | KillCommand::Off { scope, .. } = command {
        known(store, scope).await?;
    }
    match command {
        KillCommand::On { .. } => Ok(super::beside::ask(global, order).await.unwrap_or(None)),
        KillCommand::Off { .. } | KillCommand::List => super::beside::ask(global, order).await,
    }
}

/// What the process that drives would be asked to do.
fn order(command: &KillCommand) -> Option<Command> {
    match command {
        KillCommand::On { scope, name, reason } => {
            Some(Command::KillOn { scope: scope.clone(), by: name.clone(), reason: reason.clone() })
        }
        KillCommand::Off { scope, name } => Some(Command::KillOff { scope: scope.clone(), by: name.clone() }),
        KillCommand::List => None,
    }
}

async fn perform(store: &ShopStore, command: KillCommand, now: Timestamp, out: &Out) -> Result<(), Failure> {
    match command {
        KillCommand::On { scope, name, reason } => {
            known(store, &scope).await?;
            // Stopping takes no token of who owns the folder: it must work when nobody finds theirs.
            let token = access::token_of_environment().map_err(failure)?;
            let shown = Shown { token: token.as_deref(), name: Some(&name) };
            let who = access::known_or_owner(store, shown, Role::Admin, "kill on", now).await.map_err(failure)?;
            store.kill_on(&scope, app::reason(&reason)?, &who, now).await.map_err(failure)?;
            out.line(&format!("{scope} is stopped: nothing is handed over until `mailwright kill off {scope}`"));
        }
        KillCommand::Off { scope, name } => {
            known(store, &scope).await?;
            let who = app::who(store, Some(&name), Role::Admin, "kill off", now).await?;
            if !store.kill_off(&scope, &who, now).await.map_err(failure)? {
                return Err(Failure::new(format!("{scope} was not stopped; see `mailwright kill list`")));
            }
            let signal = Signal::Released.to_json().map_err(failure)?;
            let woken = store.release_killed(&signal, now).await.map_err(failure)?;
            out.line(&format!("{scope} goes on; {woken} held run(s) are due: mailwright runs resume"));
        }
        KillCommand::List => {}
    }
    let switches = store.kill_switches().await.map_err(failure)?;
    out.value(&switches)?;
    let rows: Vec<Vec<String>> =
        switches.iter().map(|k| vec![k.scope.clone(), k.reason.clone(), k.set_by.clone(), k.at.to_string()]).collect();
    if rows.is_empty() {
        out.line("No kill switch is on.")
    } else {
        out.table(&["scope", "reason", "by", "since"], &rows)
    }
    Ok(())
}

async fn known(store: &ShopStore, scope: &str) -> Result<(), Failure> {
    let files = store.active_release().await.map_err(failure)?.map(|(_, files)| files).unwrap_or_default();
    let flow = |path: &String| path.strip_prefix("prompts/flows/")?.strip_suffix(".md").map(|id| format!("flow:{id}"));
    let flows: Vec<String> = files.keys().filter_map(flow).collect();
    let mut others: Vec<String> = esp::ADAPTERS.map(|name| format!("esp:{name}")).to_vec();
    others.extend(SEGMENTS.map(|name| format!("segment:{name}")));
    if matches!(scope, "global" | "shop") || others.iter().chain(&flows).any(|known| known == scope) {
        return Ok(());
    }
    // A campaign is a flow of its own.
    let campaigns = store.campaigns(1_000).await.map_err(failure)?;
    if campaigns.iter().any(|c| scope == format!("flow:{}", c.id)) {
        return Ok(());
    }
    let known = [others, flows].concat().join(", ");
    Err(Failure::new(format!("`{scope}` is no scope; there are global, shop, {known}")))
}
