//! `mailwright approvals list|show|approve|reject|recall|edit`: people decide, by name, about what they have seen.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand, ValueEnum};
use kit::message::{ApprovalState, Hold};
use kit::{ApprovalId, Role, Timestamp};

use super::app::{self, App};
use super::approval_view::card;
use super::assent::{assent, present};
use super::control::ControlCommand;
use super::out::{Ink, Out, short};
use super::trace::{Trace, ending, fill};
use super::trust::TrustCommand;
use super::{Failure, Global, failure};
use crate::approvals::{Asked, Assent, Edit, Seen, Signed};
use crate::control::Command;
use crate::runs::Rest;

#[derive(Debug, Args)]
#[command(after_help = "Example: mailwright approvals list")]
pub(super) struct ApprovalsArgs {
    #[command(subcommand)]
    command: ApprovalsCommand,
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    /// From now on.
    On,
    /// Not any more.
    Off,
}

#[derive(Debug, Subcommand)]
enum ApprovalsCommand {
    /// What waits, the most urgent first.
    #[command(after_help = "Example: mailwright approvals list --limit 20")]
    List {
        /// How many at most.
        #[arg(long, default_value_t = 50)]
        limit: u32,
        /// Go on behind this one, the last of the page before.
        #[arg(long, value_name = "APPROVAL")]
        after: Option<ApprovalId>,
    },
    /// The message, why you must look, and what you would be signing.
    #[command(after_help = "Example: mailwright approvals show apr-3f2a91c04d7e")]
    Show {
        /// The approval.
        id: ApprovalId,
    },
    /// Approve exactly what `show` showed last. It leaves when the time to recall it is over.
    #[command(after_help = "Example: mailwright approvals approve apr-3f2a91c04d7e --as nora")]
    Approve {
        /// The approval.
        id: ApprovalId,
        /// Who you are. Authors of a message cannot approve it.
        #[arg(long = "as", value_name = "NAME")]
        name: String,
        /// What you saw, as `show` prints it; without it, what `show` showed last on this data folder.
        #[arg(long, value_name = "TAG")]
        seen: Option<Seen>,
        /// How many people get it, where many do.
        #[arg(long, value_name = "N")]
        count: Option<u32>,
        /// Do not stay until the message may leave: `serve` or `runs resume` goes on with it.
        #[arg(long)]
        no_wait: bool,
    },
    /// Take an approval back before anything left with it.
    #[command(
        after_help = "Example: mailwright approvals recall apr-3f2a91c04d7e --as nora --reason \"the wrong week\""
    )]
    Recall {
        /// The approval.
        id: ApprovalId,
        /// Who you are.
        #[arg(long = "as", value_name = "NAME")]
        name: String,
        /// Why.
        #[arg(long)]
        reason: String,
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
    /// How far each flow is trusted to send unseen, and why.
    #[command(after_help = "Example: mailwright approvals trust")]
    Trust {
        #[command(subcommand)]
        command: Option<TrustCommand>,
    },
    /// What a flow sends when nobody decides in time, and the one approval that lets it.
    #[command(after_help = "Example: mailwright approvals control show abandoned-checkout")]
    Control {
        #[command(subcommand)]
        command: Option<ControlCommand>,
    },
    /// Let authors approve their own work, in a shop of one person; never of regulated goods. It takes an admin.
    #[command(after_help = "Example: mailwright approvals solo on --as ada --reason \"I work alone\"")]
    Solo {
        /// On or off.
        #[arg(value_enum)]
        switch: Switch,
        /// Who you are.
        #[arg(long = "as", value_name = "NAME")]
        name: String,
        /// Why.
        #[arg(long)]
        reason: String,
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
    if let Some(command) = decision(global, &args.command, out).await?
        && let Some(told) = super::beside::ask(global, command).await?
    {
        out.line("Done by the process that drives this data folder; it goes on with the run.");
        for missing in told.get("missing").and_then(serde_json::Value::as_array).into_iter().flatten() {
            out.line(&format!("  it still takes {}", missing.as_str().unwrap_or_default()));
        }
        return out.value(&told);
    }
    let app = App::existing(global, out).await?;
    let done = perform(&app, args.command, out).await;
    app.close().await;
    done
}

/// What the process that drives would be asked to do; `None` when nothing is decided, or nobody drives.
async fn decision(global: &Global, command: &ApprovalsCommand, out: &Out) -> Result<Option<Command>, Failure> {
    Ok(match command {
        ApprovalsCommand::List { .. }
        | ApprovalsCommand::Show { .. }
        | ApprovalsCommand::Trust { .. }
        | ApprovalsCommand::Control { .. }
        | ApprovalsCommand::Solo { .. } => None,
        ApprovalsCommand::Approve { id, name, seen, count, .. } => {
            if !crate::control::is_taken(&app::data_dir(global)?).map_err(failure)? {
                return Ok(None);
            }
            if global.at.is_some() {
                // It is refused with the reason before anything is asked.
                return Ok(Some(Command::Ping));
            }
            let app = App::existing(global, out).await?;
            let assent = assent(&app, id, seen.clone(), *count, out).await;
            app.close().await;
            let Assent { seen, typed_count } = assent?;
            Some(Command::Approve { approval: id.clone(), by: name.clone(), seen, typed_count })
        }
        ApprovalsCommand::Reject { id, name, reason, revise } => Some(Command::Reject {
            approval: id.clone(),
            by: name.clone(),
            reason: app::reason(reason)?.to_owned(),
            revise: *revise,
            seen: None,
        }),
        ApprovalsCommand::Recall { id, name, reason } => {
            Some(Command::Recall { approval: id.clone(), by: name.clone(), reason: app::reason(reason)?.to_owned() })
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
        ApprovalsCommand::List { limit, after } => list(app, limit, after.as_ref(), out).await,
        ApprovalsCommand::Trust { command } => super::trust::perform(app, command, out).await,
        ApprovalsCommand::Control { command } => super::control::perform(app, command, out).await,
        ApprovalsCommand::Show { id } => {
            let looked = tenant.look(&id).await.map_err(failure)?;
            present(app, &looked, out).await
        }
        ApprovalsCommand::Approve { id, name, seen, count, no_wait } => {
            let who = app.who(&name, Role::Approver, "approvals approve").await?;
            let assent = assent(app, &id, seen, count, out).await?;
            let signed = tenant.approve(&id, &who, &assent).await.map_err(failure)?;
            approved(app, &id, &name, &signed, no_wait, out).await
        }
        ApprovalsCommand::Reject { id, name, reason, revise } => {
            let who = app.who(&name, Role::Approver, "approvals reject").await?;
            let asked = tenant.reject(&id, &who, app::reason(&reason)?, revise, None).await.map_err(failure)?;
            out.line(&format!("{} {id} by {name}", out.ink(Ink::Warn, "rejected")));
            after(app, &id, &asked, None, out).await
        }
        ApprovalsCommand::Recall { id, name, reason } => {
            let who = app.who(&name, Role::Approver, "approvals recall").await?;
            let asked = tenant.recall(&id, &who, app::reason(&reason)?).await.map_err(failure)?;
            out.line(&format!("{} {id} by {name}: nothing left with it", out.ink(Ink::Warn, "recalled")));
            after(app, &id, &asked, None, out).await
        }
        ApprovalsCommand::Solo { switch, name, reason } => {
            let (who, on) = (app.who(&name, Role::Admin, "approvals solo").await?, switch == Switch::On);
            let (reason, now) = (app::reason(&reason)?, tenant.clock.now());
            tenant.store.set_solo(on, &who, reason, now).await.map_err(failure)?;
            out.value(&serde_json::json!({ "solo": on }))?;
            let words = if on {
                "may approve their own work, except of regulated goods"
            } else {
                "approve nothing of their own"
            };
            out.line(&format!("{} authors {words}", out.ink(Ink::Warn, "solo:")));
            Ok(())
        }
        ApprovalsCommand::Edit { id, name, subject, preheader, file } => {
            let edit = edit(subject, preheader, file.as_ref())?;
            let asked = tenant.look(&id).await.map_err(failure)?.asked;
            let who = app.who(&name, Role::Marketer, "approvals edit").await?;
            let successor = tenant.edit(&id, &who, edit).await.map_err(failure)?;
            out.line(&format!(
                "{} {id}; {successor} takes its place and waits for somebody else than {name}",
                out.ink(Ink::Good, "edited")
            ));
            after(app, &id, &asked, Some(successor), out).await
        }
    }
}

/// What follows from a signature: another one is missing, or the message leaves once it cannot be recalled any more.
async fn approved(
    app: &App,
    id: &ApprovalId,
    name: &str,
    signed: &Signed,
    no_wait: bool,
    out: &Out,
) -> Result<(), Failure> {
    if !signed.missing.is_empty() {
        out.line(&format!("{} {id} by {name}", out.ink(Ink::Good, "signed")));
        for missing in &signed.missing {
            out.line(&format!("  it still takes {missing}"));
        }
        return out.value(&serde_json::json!({ "approval": id, "state": "pending", "missing": signed.missing }));
    }
    out.line(&format!("{} {id} by {name}", out.ink(Ink::Good, "approved")));
    let recall = format!("mailwright approvals recall {id} --as NAME --reason WHY");
    match (signed.recallable_until, &signed.asked) {
        (Some(until), Asked::Message(_)) if no_wait => {
            out.line(&format!("  it leaves after {until}, unless: {recall}"));
            out.value(&serde_json::json!({ "approval": id, "state": "approved", "recallable_until": until }))
        }
        (Some(until), Asked::Campaign(approval)) => {
            out.line(&format!("  until {until}: {recall}"));
            out.line(&format!("  next: mailwright campaigns schedule {} --as NAME", approval.campaign));
            out.value(&serde_json::json!({
                "approval": id, "campaign": approval.campaign, "state": "approved", "recallable_until": until,
            }))
        }
        (Some(_) | None, asked) => after(app, id, asked, None, out).await,
    }
}

/// The run that waited goes on in this process, through the time in which it can be recalled. An edited request has a
/// successor.
async fn after(
    app: &App,
    id: &ApprovalId,
    asked: &Asked,
    successor: Option<ApprovalId>,
    out: &Out,
) -> Result<(), Failure> {
    let approval = match asked {
        Asked::Message(approval) => approval,
        Asked::Campaign(approval) => {
            let state = app.tenant.look(id).await.map_err(failure)?.asked.record().state;
            return out.value(&serde_json::json!({ "approval": id, "campaign": approval.campaign, "state": state }));
        }
    };
    let driver = app.tenant.driver(Arc::new(Trace::new(*out)));
    let mut rest = driver.drive(&approval.run).await.map_err(failure)?;
    if let Rest::Held { hold: Hold::Recallable { until }, .. } = &rest {
        out.note(&format!(
            "  it leaves at {until}; until then, from another terminal: mailwright approvals recall {id} --as NAME --reason WHY"
        ));
        out.note("  stopped here, `mailwright runs resume` or `serve` goes on with it");
        app.tenant.clock.wait(*until).await;
        rest = driver.drive(&approval.run).await.map_err(failure)?;
    }
    out.line(&format!("  {} {}", approval.run, ending(*out, &rest)));
    let mut value = serde_json::json!({ "approval": id, "run": approval.run, "rest": ending(Out::new(true), &rest) });
    if let (Some(fields), Some(successor)) = (value.as_object_mut(), successor) {
        fields.insert("successor".to_owned(), successor.to_string().into());
    }
    out.value(&value)
}

async fn list(app: &App, limit: u32, after: Option<&ApprovalId>, out: &Out) -> Result<(), Failure> {
    let (tenant, now) = (&app.tenant, app.tenant.clock.now());
    let store = &tenant.store;
    tenant.tend_approvals().await.map_err(failure)?;
    let asked = tenant.asked_page(ApprovalState::Pending, after, limit).await.map_err(failure)?;
    let last = asked.last().filter(|_| asked.len() >= limit as usize).map(|one| one.record().id.clone());
    let given = store.pending_signatures().await.map_err(failure)?;
    let (mut cards, mut rows) = (Vec::new(), Vec::new());
    for one in &asked {
        let id = &one.record().id;
        let route = tenant.route(one, now).await.map_err(failure)?;
        let signatures = given.get(id).map_or(&[][..], Vec::as_slice);
        let missing = route.missing(signatures);
        let mut value = match one {
            Asked::Message(approval) => card(approval),
            Asked::Campaign(a) => serde_json::json!({
                "approval": id, "state": a.record.state, "campaign": a.campaign, "recipients": a.terms.recipients,
                "classes": a.terms.classes.len(), "expires_at": a.record.expires_at,
            }),
        };
        if let Some(fields) = value.as_object_mut() {
            fields.insert("route".to_owned(), serde_json::json!(route));
            fields.insert("signatures".to_owned(), serde_json::json!(signatures));
            fields.insert("missing".to_owned(), serde_json::json!(missing));
        }
        cards.push(value);
        let (what, subject, why) = match one {
            Asked::Message(a) => {
                let subject = a.draft.draft.subjects.first().map(|s| fill(s, &a.draft)).unwrap_or_default();
                let reasons: Vec<&str> = a.reasons.iter().map(|r| r.code.as_str()).collect();
                (a.terms.flow.to_string(), short(&subject, 44), reasons.join(", "))
            }
            Asked::Campaign(a) => {
                let people = format!("{} recipients in {} classes", a.terms.recipients, a.terms.classes.len());
                (a.campaign.to_string(), people, "campaign".to_owned())
            }
        };
        let sections: Vec<&str> = route.sections.iter().map(|section| section.name.as_str()).collect();
        let people = if route.people > 1 { ", by two people" } else { "" };
        let escalated = if route.escalated { out.ink(Ink::Warn, " (escalated)") } else { String::new() };
        let signed = if signatures.is_empty() { "" } else { " (signed in part)" };
        rows.push(vec![
            id.to_string(),
            what,
            subject,
            why,
            format!("{}{people}{signed}{escalated}", sections.join(", ")),
            lapses(route.decide_by, now, out),
        ]);
    }
    out.value(&cards)?;
    if rows.is_empty() {
        out.line("Nothing waits for you.");
        return Ok(());
    }
    out.table(&["approval", "flow", "subject", "why you", "to sign", "lapses"], &rows);
    if let Some(last) = last {
        let all = store.pending_approvals().await.map_err(failure)?;
        out.note(&format!("{all} message(s) wait in all; the next page: mailwright approvals list --after {last}"));
    }
    Ok(())
}

/// When it lapses, or that it has: nobody can decide about it any more, and the run ends when it goes on.
fn lapses(at: Timestamp, now: Timestamp, out: &Out) -> String {
    let when = at.strftime("%Y-%m-%d %H:%M UTC").to_string();
    if at <= now { out.ink(Ink::Bad, &format!("lapsed {when}")) } else { when }
}
