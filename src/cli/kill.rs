//! `mailwright kill on|off|list`: stop sending, over every channel, at once.

use clap::{Args, Subcommand};
use kit::Role;

use super::app::{App, person};
use super::out::Out;
use super::{Failure, Global, failure};
use crate::runs::Signal;

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
        /// `global`, `shop`, or `flow:ID`.
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
        /// `global`, `shop`, or `flow:ID`.
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
    let app = App::open(global, out).await?;
    let done = perform(&app, args.command, out).await;
    app.close().await;
    done
}

async fn perform(app: &App, command: KillCommand, out: &Out) -> Result<(), Failure> {
    let (store, now) = (&app.tenant.store, app.tenant.clock.now());
    match command {
        KillCommand::On { scope, name, reason } => {
            known(app, &scope)?;
            store.kill_on(&scope, &reason, &person(&name, Role::Admin)?, now).await.map_err(failure)?;
            out.line(&format!("{scope} is stopped: nothing is handed over until `mailwright kill off {scope}`"));
        }
        KillCommand::Off { scope, name } => {
            known(app, &scope)?;
            if !store.kill_off(&scope, &person(&name, Role::Admin)?, now).await.map_err(failure)? {
                return Err(Failure::new(format!("{scope} was not stopped; see `mailwright kill list`")));
            }
            let mut woken = 0;
            for run in store.runs(1000).await.map_err(failure)? {
                if run.wait_for.as_deref().is_some_and(|w| w.contains("kill switch")) {
                    app.tenant.send_signal(&run.id, &Signal::Released).await.map_err(failure)?;
                    woken += 1;
                }
            }
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

fn known(app: &App, scope: &str) -> Result<(), Failure> {
    let flow = |id: &str| app.tenant.release.flows.keys().any(|f| f.as_str() == id);
    if matches!(scope, "global" | "shop") || scope.strip_prefix("flow:").is_some_and(flow) {
        return Ok(());
    }
    let flows: Vec<String> = app.tenant.release.flows.keys().map(|f| format!("flow:{f}")).collect();
    Err(Failure::new(format!("`{scope}` is no scope; there are global, shop, {}", flows.join(", "))))
}
