//! `mailwright approvals trust`: how far each flow is trusted, why, and what would change it.

use clap::{Subcommand, ValueEnum};
use kit::message::DedupeKey;
use kit::{FlowId, Role};

use super::app::{self, App};
use super::out::{Ink, Out, short};
use super::{Failure, failure};
use crate::approvals::{Standing, TrustLevel};

/// A level that can be asked for.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Level {
    /// Messages leave without an approval, and are listed for people to look at.
    Notify,
    /// Messages leave without an approval.
    Automatic,
}

#[derive(Debug, Subcommand)]
pub(super) enum TrustCommand {
    /// Every flow that people have decided about, with its record. The same as without a word.
    #[command(after_help = "Example: mailwright approvals trust list")]
    List,
    /// Confirm a level that a flow's record carries. It takes an admin.
    #[command(after_help = "Example: mailwright approvals trust raise abandoned-checkout --to notify --as ada")]
    Raise {
        /// The flow.
        flow: FlowId,
        /// How far.
        #[arg(long, value_enum)]
        to: Level,
        /// The model, where several wrote for it.
        #[arg(long = "of", value_name = "MODEL")]
        of: Option<String>,
        /// Who you are.
        #[arg(long = "as", value_name = "NAME")]
        name: String,
    },
    /// Have every message of a flow approved again, from now on.
    #[command(
        after_help = "Example: mailwright approvals trust lower abandoned-checkout --as nora --reason \"odd subjects\""
    )]
    Lower {
        /// The flow.
        flow: FlowId,
        /// Who you are.
        #[arg(long = "as", value_name = "NAME")]
        name: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Messages that left without an approval, for people to look at.
    #[command(after_help = "Example: mailwright approvals trust notices")]
    Notices,
    /// Object to one of them: it counts as rejected, and its flow is approved again from now on.
    #[command(after_help = "Example: mailwright approvals trust object KEY --as nora --reason \"the tone is wrong\"")]
    Object {
        /// The send's key, whole, as `notices --json` and `sends list --json` print it.
        key: DedupeKey,
        /// Who you are.
        #[arg(long = "as", value_name = "NAME")]
        name: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

pub(super) async fn perform(app: &App, command: Option<TrustCommand>, out: &Out) -> Result<(), Failure> {
    let tenant = &app.tenant;
    match command {
        None | Some(TrustCommand::List) => list(app, out).await,
        Some(TrustCommand::Raise { flow, to, of, name }) => {
            let level = match to {
                Level::Notify => TrustLevel::Notify,
                Level::Automatic => TrustLevel::Automatic,
            };
            let who = app.who(&name, Role::Admin, "approvals trust raise").await?;
            let standing = tenant.raise_trust(&flow, of.as_deref(), level, &who).await.map_err(failure)?;
            out.value(&standing)?;
            out.line(&format!("{} {flow} to {} by {name}", out.ink(Ink::Warn, "raised"), level.as_str()));
            out.line(&format!("  {}", standing.why));
            Ok(())
        }
        Some(TrustCommand::Lower { flow, name, reason }) => {
            let who = app.who(&name, Role::Approver, "approvals trust lower").await?;
            let fell = tenant.lower_trust(&flow, &who, app::reason(&reason)?).await.map_err(failure)?;
            out.value(&serde_json::json!({ "flow": flow, "lowered": fell }))?;
            out.line(&match fell {
                0 => format!("every message of {flow} is approved already"),
                _ => format!("{} {flow}: every message is approved again", out.ink(Ink::Good, "lowered")),
            });
            Ok(())
        }
        Some(TrustCommand::Notices) => notices(app, out).await,
        Some(TrustCommand::Object { key, name, reason }) => {
            let who = app.who(&name, Role::Approver, "approvals trust object").await?;
            let flow = tenant.object(key, &who, app::reason(&reason)?).await.map_err(failure)?;
            out.value(&serde_json::json!({ "key": key, "flow": flow }))?;
            out.line(&format!("{} every message of {flow} is approved again", out.ink(Ink::Good, "noted:")));
            Ok(())
        }
    }
}

async fn list(app: &App, out: &Out) -> Result<(), Failure> {
    let standings = app.tenant.trust().await.map_err(failure)?;
    out.value(&standings)?;
    if standings.is_empty() {
        out.line("Nobody has decided about a message yet: every one is approved.");
        return Ok(());
    }
    let row = |s: &Standing| {
        vec![
            s.key.flow.to_string(),
            s.key.release.short(),
            short(&s.key.model, 28),
            s.level.as_str().to_owned(),
            s.proposal.map_or_else(|| "-".to_owned(), |level| level.as_str().to_owned()),
            s.why.clone(),
        ]
    };
    let rows: Vec<Vec<String>> = standings.iter().map(row).collect();
    out.table(&["flow", "release", "model", "level", "proposed", "why"], &rows);
    if standings.iter().any(|standing| standing.proposal.is_some()) {
        out.line("An admin confirms a proposal: mailwright approvals trust raise FLOW --to LEVEL --as NAME");
    }
    Ok(())
}

async fn notices(app: &App, out: &Out) -> Result<(), Failure> {
    let sends = app.tenant.notices().await.map_err(failure)?;
    out.value(&sends)?;
    if sends.is_empty() {
        out.line("Nothing left without an approval that people are to look at.");
        return Ok(());
    }
    let rows: Vec<Vec<String>> = sends
        .iter()
        .map(|s| vec![s.key.chars().take(12).collect(), s.flow.clone(), s.run.to_string(), s.reserved_at.to_string()])
        .collect();
    out.table(&["send", "flow", "run", "at"], &rows);
    Ok(())
}
