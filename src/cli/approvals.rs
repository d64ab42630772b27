//! `mailwright approvals list|show|approve|reject|edit`: people decide, by name, about what they have seen.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use kit::message::ApprovalState;
use kit::{ApprovalId, Role, Timestamp};

use super::app::{self, App, person};
use super::approval_view::{card, show};
use super::out::{Ink, Out, short};
use super::trace::{Trace, ending, fill};
use super::{Failure, Global, failure};
use crate::approvals::Edit;
use crate::control::Command;
use crate::store::{Approval, CampaignApproval, ShopStore};

#[derive(Debug, Args)]
#[command(after_help = "Example: mailwright approvals list")]
pub(super) struct ApprovalsArgs {
    #[command(subcommand)]
    command: ApprovalsCommand,
}

#[derive(Debug, Subcommand)]
enum ApprovalsCommand {
    /// What waits, the most urgent first.
    #[command(after_help = "Example: mailwright approvals list")]
    List,
    /// The message, why you must look, and what you would be signing.
    #[command(after_help = "Example: mailwright approvals show apr-3f2a91c04d7e")]
    Show {
        /// The approval.
        id: ApprovalId,
    },
    /// Approve exactly what `show` shows; the run goes on at once.
    #[command(after_help = "Example: mailwright approvals approve apr-3f2a91c04d7e --as nora")]
    Approve {
        /// The approval.
        id: ApprovalId,
        /// Who you are. Authors of a message cannot approve it.
        #[arg(long = "as", value_name = "NAME")]
        name: String,
    },
    /// Reject with a reason; with --revise the writer tries again with it.
    #[command(
        after_help = "Example: mailwright approvals reject apr-3f2a91c04d7e --as nora --reason \"too soon after the complaint\""
    )]
    Reject {
        /// The approval.
        id: ApprovalId,
        /// Who you are.
        #[arg(long = "as", value_name = "NAME")]
        name: String,
        /// Why.
        #[arg(long)]
        reason: String,
        /// Let the writer try again.
        #[arg(long)]
        revise: bool,
    },
    /// Edit the message. You become an author: somebody else approves the new one.
    #[command(
        after_help = "Example: mailwright approvals edit apr-3f2a91c04d7e --as sam --subject \"Your boots, and the wax they like\""
    )]
    Edit {
        /// The approval.
        id: ApprovalId,
        /// Who you are.
        #[arg(long = "as", value_name = "NAME")]
        name: String,
        /// A new first subject.
        #[arg(long)]
        subject: Option<String>,
        /// A new preheader.
        #[arg(long)]
        preheader: Option<String>,
        /// A JSON file with new blocks: {"blocks":[…]}, as `show --json` prints them.
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
}

pub(super) async fn run(global: &Global, args: ApprovalsArgs, out: &Out) -> Result<(), Failure> {
    if let Some(command) = decision(&args.command)?
        && let Some(told) = super::beside::ask(global, command).await?
    {
        out.line("Done by the process that drives this data folder; it goes on with the run.");
        return out.value(&told);
    }
    if let ApprovalsCommand::List = args.command {
        let (store, now) = app::open_store(global).await?;
        let done = list(&store, now, out).await;
        store.store().clone().close().await;
        return done;
    }
    let app = App::existing(global, out).await?;
    let done = perform(&app, args.command, out).await;
    app.close().await;
    done
}

/// What the process that drives would be asked to do.
fn decision(command: &ApprovalsCommand) -> Result<Option<Command>, Failure> {
    Ok(match command {
        ApprovalsCommand::List | ApprovalsCommand::Show { .. } => None,
        ApprovalsCommand::Approve { id, name } => Some(Command::Approve { approval: id.clone(), by: name.clone() }),
        ApprovalsCommand::Reject { id, name, reason, revise } => {
            Some(Command::Reject { approval: id.clone(), by: name.clone(), reason: reason.clone(), revise: *revise })
        }
        ApprovalsCommand::Edit { id, name, subject, preheader, file } => {
            let edit = edit(subject.clone(), preheader.clone(), file.as_ref())?;
            Some(Command::Edit { approval: id.clone(), by: name.clone(), edit })
        }
    })
}

fn edit(subject: Option<String>, preheader: Option<String>, file: Option<&PathBuf>) -> Result<Edit, Failure> {
    let mut edit = match file {
        Some(file) => {
            let bytes = super::trigger::read(file)?;
            serde_json::from_slice::<Edit>(&bytes).map_err(|e| Failure::new(format!("{}: {e}", file.display())))?
        }
        None => Edit::default(),
    };
    edit.subject = subject.or(edit.subject);
    edit.preheader = preheader.or(edit.preheader);
    Ok(edit)
}

async fn perform(app: &App, command: ApprovalsCommand, out: &Out) -> Result<(), Failure> {
    let tenant = &app.tenant;
    match command {
        ApprovalsCommand::List => Ok(()),
        ApprovalsCommand::Show { id } => {
            if let Some(approval) = of_campaign(app, &id).await? {
                let view = tenant.view_campaign(&approval).await.map_err(failure)?;
                return super::campaigns::view(&approval, &view, out);
            }
            let approval = find(app, &id).await?;
            show(app, &approval, out).await
        }
        ApprovalsCommand::Approve { id, name } => {
            if of_campaign(app, &id).await?.is_some() {
                return decide_campaign(app, &id, &name, None, out).await;
            }
            let viewed = tenant.approve(&id, &person(&name, Role::Approver)?).await.map_err(failure)?;
            out.line(&format!("{} {id} by {name}", out.ink(Ink::Good, "approved")));
            go_on(app, &viewed, None, out).await
        }
        ApprovalsCommand::Reject { id, name, reason, revise } => {
            if of_campaign(app, &id).await?.is_some() {
                return decide_campaign(app, &id, &name, Some(&reason), out).await;
            }
            let viewed = tenant
                .reject(&id, &person(&name, Role::Approver)?, app::reason(&reason)?, revise)
                .await
                .map_err(failure)?;
            out.line(&format!("{} {id} by {name}", out.ink(Ink::Warn, "rejected")));
            go_on(app, &viewed, None, out).await
        }
        ApprovalsCommand::Edit { id, name, subject, preheader, file } => {
            let edit = edit(subject, preheader, file.as_ref())?;
            let viewed = find(app, &id).await?;
            let successor = tenant.edit(&id, &person(&name, Role::Marketer)?, edit).await.map_err(failure)?;
            out.line(&format!(
                "{} {id}; {successor} takes its place and waits for somebody else than {name}",
                out.ink(Ink::Good, "edited")
            ));
            go_on(app, &viewed, Some(successor), out).await
        }
    }
}

async fn of_campaign(app: &App, id: &ApprovalId) -> Result<Option<CampaignApproval>, Failure> {
    app.tenant.store.campaign_approval(id).await.map_err(failure)
}

/// Approves a campaign as viewed, or rejects it with a reason.
async fn decide_campaign(
    app: &App,
    id: &ApprovalId,
    name: &str,
    reason: Option<&str>,
    out: &Out,
) -> Result<(), Failure> {
    let who = person(name, Role::Approver)?;
    let decided = app.tenant.decide_campaign(id, &who, reason).await.map_err(failure)?;
    out.value(&serde_json::json!({ "approval": id, "campaign": decided.campaign, "state": decided.record.state }))?;
    match reason {
        None => out.line(&format!(
            "{} {id} by {name}; next: mailwright campaigns schedule {} --as NAME",
            out.ink(Ink::Good, "approved"),
            decided.campaign
        )),
        Some(_) => out.line(&format!("{} {id} by {name}", out.ink(Ink::Warn, "rejected"))),
    }
    Ok(())
}

async fn find(app: &App, id: &ApprovalId) -> Result<Approval, Failure> {
    let found = app.tenant.store.approval(id).await.map_err(failure)?;
    found.ok_or_else(|| Failure::new(format!("there is no approval {id}; see `mailwright approvals list`")))
}

/// The run that waited goes on in this process. An edited approval has a successor.
async fn go_on(app: &App, viewed: &Approval, successor: Option<ApprovalId>, out: &Out) -> Result<(), Failure> {
    let driver = app.tenant.driver(Arc::new(Trace::new(*out)));
    let rest = driver.drive(&viewed.run).await.map_err(failure)?;
    out.line(&format!("  {} {}", viewed.run, ending(*out, &rest)));
    let mut value = serde_json::json!({
        "approval": viewed.record.id, "run": viewed.run, "rest": ending(Out::new(true), &rest),
    });
    if let (Some(fields), Some(successor)) = (value.as_object_mut(), successor) {
        fields.insert("successor".to_owned(), successor.to_string().into());
    }
    out.value(&value)
}

async fn list(store: &ShopStore, now: Timestamp, out: &Out) -> Result<(), Failure> {
    let waiting = store.approvals(ApprovalState::Pending, 200).await.map_err(failure)?;
    let campaigns = store.campaign_approvals(None).await.map_err(failure)?;
    let campaigns: Vec<_> = campaigns.into_iter().filter(|a| a.record.state == ApprovalState::Pending).collect();
    let mut cards: Vec<_> = waiting.iter().map(card).collect();
    cards.extend(campaigns.iter().map(|a| {
        serde_json::json!({
            "approval": a.record.id, "state": a.record.state, "campaign": a.campaign, "recipients": a.terms.recipients,
            "classes": a.terms.classes.len(), "expires_at": a.record.expires_at,
        })
    }));
    out.value(&cards)?;
    if waiting.is_empty() && campaigns.is_empty() {
        out.line("Nothing waits for you.");
        return Ok(());
    }
    let mut rows: Vec<Vec<String>> = waiting
        .iter()
        .map(|a| {
            let subject = a.draft.draft.subjects.first().map(|s| fill(s, &a.draft)).unwrap_or_default();
            let reasons: Vec<&str> = a.reasons.iter().map(|r| r.code.as_str()).collect();
            vec![
                a.record.id.to_string(),
                a.terms.flow.to_string(),
                short(&subject, 44),
                reasons.join(", "),
                lapses(a, now, out),
            ]
        })
        .collect();
    rows.extend(campaigns.iter().map(|a| {
        vec![
            a.record.id.to_string(),
            a.campaign.to_string(),
            format!("{} recipients in {} classes", a.terms.recipients, a.terms.classes.len()),
            "campaign".to_owned(),
            a.record.expires_at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        ]
    }));
    out.table(&["approval", "flow", "subject", "why you", "lapses"], &rows);
    Ok(())
}

/// When it lapses, or that it has: nobody can decide about it any more, and the run ends when it goes on.
fn lapses(approval: &Approval, now: Timestamp, out: &Out) -> String {
    let at = approval.record.expires_at;
    let when = at.strftime("%Y-%m-%d %H:%M UTC").to_string();
    if at <= now { out.ink(Ink::Bad, &format!("lapsed {when}")) } else { when }
}
