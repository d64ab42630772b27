//! `mailwright brand proposals list|show|accept|reject`: what approvers did, as rules that a marketer may want.

use brand::proposals::Proposal;
use clap::{Subcommand, ValueEnum};
use kit::Role;
use kit::message::Severity;

use crate::cli::app::{self, App};
use crate::cli::out::{Ink, Out};
use crate::cli::{Failure, failure};

#[derive(Debug, Subcommand)]
pub(super) enum ProposalsCommand {
    /// What is proposed, the most supported first.
    #[command(after_help = "Example: mailwright brand proposals list")]
    List,
    /// The words, the decisions behind them, and the rule as it would stand in the rule file.
    #[command(after_help = "Example: mailwright brand proposals show learned.worth-every-penny")]
    Show {
        /// The proposal.
        id: String,
    },
    /// Write the rule into the rule file and put that in force as a new release.
    #[command(
        after_help = "Example: mailwright brand proposals accept learned.worth-every-penny --as mira --severity warn"
    )]
    Accept {
        /// The proposal.
        id: String,
        /// Who you are: it stands in the audit trail.
        #[arg(long = "as", value_name = "NAME")]
        name: String,
        /// What the rule does to a message that has the words.
        #[arg(long, value_enum, default_value_t = Does::Approve)]
        severity: Does,
    },
    /// Leave it out; it is not proposed again.
    #[command(
        after_help = "Example: mailwright brand proposals reject learned.worth-every-penny --as mira --reason \"it was that one mail\""
    )]
    Reject {
        /// The proposal.
        id: String,
        /// Who you are: it stands in the audit trail.
        #[arg(long = "as", value_name = "NAME")]
        name: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

/// What a rule does.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Does {
    /// Advice to the writer.
    Warn,
    /// A person must look.
    Approve,
    /// The message does not leave.
    Block,
}

impl From<Does> for Severity {
    fn from(does: Does) -> Self {
        match does {
            Does::Warn => Self::Warn,
            Does::Approve => Self::Approve,
            Does::Block => Self::Block,
        }
    }
}

pub(super) async fn act(app: &App, command: ProposalsCommand, out: &Out) -> Result<(), Failure> {
    let (tenant, now) = (&app.tenant, app.tenant.clock.now());
    match command {
        ProposalsCommand::List => {
            let proposed = tenant.rule_proposals().await.map_err(failure)?;
            out.value(&proposed)?;
            let rows: Vec<Vec<String>> = proposed.iter().map(row).collect();
            if rows.is_empty() {
                out.line("nothing is proposed: no words were rejected by name or taken out of two messages");
            } else {
                out.table(&["proposal", "language", "rejected", "edited"], &rows);
            }
            Ok(())
        }
        ProposalsCommand::Show { id } => {
            let proposal = tenant.rule_proposal(&id).await.map_err(failure)?;
            let rule = proposal.to_toml(Severity::Approve);
            out.value(&serde_json::json!({ "proposal": proposal, "rule": rule }))?;
            out.line(&format!("{} in {}", out.ink(Ink::Bold, &proposal.id), proposal.language));
            for (approval, reason) in &proposal.rejected {
                out.line(&format!("  rejected  {approval}: {reason}"));
            }
            proposal.edited.iter().for_each(|approval| out.line(&format!("  edited    {approval}")));
            out.line(rule.trim_end());
            out.line("  try it first: mailwright release export DIR, add the rule, mailwright brand dry-run");
            Ok(())
        }
        ProposalsCommand::Accept { id, name, severity } => {
            let who = app::who(&tenant.store, Some(&name), Role::Marketer, "brand proposals accept", now).await?;
            let release = tenant.accept_rule(&id, severity.into(), &who, now).await.map_err(failure)?;
            out.value(&serde_json::json!({ "rule": id, "release": release }))?;
            out.line(&format!("{} {id}, release {release} by {name}", out.ink(Ink::Good, "in force")));
            Ok(())
        }
        ProposalsCommand::Reject { id, name, reason } => {
            let who = app::who(&tenant.store, Some(&name), Role::Marketer, "brand proposals reject", now).await?;
            tenant.decline_rule(&id, &who, app::reason(&reason)?, now).await.map_err(failure)?;
            out.value(&serde_json::json!({ "rule": id, "declined_by": name }))?;
            out.line(&format!("{id} is not proposed again"));
            Ok(())
        }
    }
}

fn row(proposal: &Proposal) -> Vec<String> {
    let counts = [proposal.rejected.len(), proposal.edited.len()].map(|count| count.to_string());
    [proposal.id.clone(), proposal.language.to_string()].into_iter().chain(counts).collect()
}
