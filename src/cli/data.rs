//! `mailwright data retention`: what is too old by policy, and letting it go.

use clap::{Args, Subcommand};
use kit::Role;

use super::app::App;
use super::out::{Ink, Out};
use super::{Failure, Global, failure};
use crate::retention::Due;

#[derive(Debug, Args)]
#[command(after_help = "Example: mailwright data retention --dry-run")]
pub(super) struct DataArgs {
    #[command(subcommand)]
    command: DataCommand,
}

#[derive(Debug, Subcommand)]
enum DataCommand {
    /// Let go what is older than the policy keeps it (knowledge/policy/retention.toml), or list it. `serve` does so every hour.
    #[command(after_help = "Example: mailwright data retention --dry-run")]
    Retention {
        /// Only list what would go.
        #[arg(long, conflicts_with = "name")]
        dry_run: bool,
        /// Who you are. It takes an admin.
        #[arg(long = "as", value_name = "NAME", required_unless_present = "dry_run")]
        name: Option<String>,
    },
}

pub(super) async fn run(global: &Global, args: DataArgs, out: &Out) -> Result<(), Failure> {
    let app = App::existing(global, out).await?;
    let DataCommand::Retention { dry_run, name } = args.command;
    let done = retention(&app, name.filter(|_| !dry_run), out).await;
    app.close().await;
    done
}

async fn retention(app: &App, name: Option<String>, out: &Out) -> Result<(), Failure> {
    let tenant = &app.tenant;
    let (word, due) = match name {
        None => ("would go", tenant.retention_due().await.map_err(failure)?),
        Some(name) => {
            let who = app.who(&name, Role::Admin, "data retention").await?;
            ("went", tenant.let_go(&who).await.map_err(failure)?)
        }
    };
    out.value(&due)?;
    let row = |due: &Due| {
        let days = due.days.map_or_else(|| "for good".to_owned(), |days| format!("{days} days"));
        let before = due.before.map_or_else(String::new, |at| at.strftime("%Y-%m-%d").to_string());
        vec![due.class.as_str().to_owned(), days, before, due.items.to_string(), due.because.clone()]
    };
    out.table(&["class", "kept", "before", word, "because"], &due.iter().map(row).collect::<Vec<_>>());
    out.line(
        &out.ink(Ink::Name, "Kept for good: the audit trail, approvals, the ledger's rows, consents and suppressions."),
    );
    Ok(())
}
