//! `mailwright audit list`: who did what, newest first.

use clap::{Args, Subcommand};

use super::app;
use super::out::{Out, short};
use super::{Failure, Global, failure};

#[derive(Debug, Args)]
#[command(after_help = "Example: mailwright audit list")]
pub(super) struct AuditArgs {
    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Approvals, sends and kill switches, newest first.
    #[command(after_help = "Example: mailwright audit list --limit 20")]
    List {
        /// How many.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
}

pub(super) async fn run(global: &Global, args: AuditArgs, out: &Out) -> Result<(), Failure> {
    let AuditCommand::List { limit } = args.command;
    let (store, _) = app::open_store(global).await?;
    let trail = store.audit_trail(limit).await.map_err(failure);
    store.store().clone().close().await;
    let trail = trail?;
    out.value(&trail)?;
    let rows: Vec<Vec<String>> = trail
        .iter()
        .map(|r| {
            vec![
                r.seq.to_string(),
                r.at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
                r.who.clone(),
                r.action.clone(),
                short(&r.subject, 24),
                short(&r.detail, 50),
            ]
        })
        .collect();
    out.table(&["no", "at (UTC)", "who", "what", "about", "detail"], &rows);
    Ok(())
}
