//! `mailwright campaigns list|show|write|edit|schedule|run|cancel`: from a brief to everybody's message.

mod edit;

use std::io::{BufRead as _, IsTerminal as _};
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use kit::campaign::{Brief, CampaignId};
use kit::{ApprovalId, BriefId, Principal, Role};

use super::app::App;
use super::approval_view::{route_lines, with_route};
use super::out::{Ink, Out, clean, short};
use super::trace::Trace;
use super::{Failure, Global, failure};
use crate::approvals::Looked;
use crate::campaigns::{CampaignError, CampaignView, Estimate, Progress};
use crate::store::{Campaign, CampaignApproval};

#[derive(Debug, Args)]
#[command(after_help = "Example: mailwright campaigns list")]
pub(super) struct CampaignsArgs {
    #[command(subcommand)]
    command: CampaignsCommand,
}

#[derive(Debug, Subcommand)]
enum CampaignsCommand {
    /// Campaigns, newest first.
    #[command(after_help = "Example: mailwright campaigns list")]
    List,
    /// Where a campaign stands: its classes, and who of its audience has got what.
    #[command(after_help = "Example: mailwright campaigns show cmp-3f2a91c04d7e")]
    Show {
        /// The campaign.
        id: CampaignId,
    },
    /// Freeze a brief's audience, show what writing takes, write every class, and ask for the approval.
    #[command(
        after_help = "Example: mailwright campaigns write brf-3f2a91c04d7e --as mira\n         mailwright campaigns write --file brief.json --as mira --yes"
    )]
    Write {
        /// The brief, as `mailwright chat` made it.
        brief: Option<BriefId>,
        /// A brief as JSON instead.
        #[arg(long, value_name = "FILE", conflicts_with = "brief", required_unless_present = "brief")]
        file: Option<PathBuf>,
        /// Who you are. Whoever shaped a campaign cannot approve it.
        #[arg(long = "as", value_name = "NAME")]
        name: String,
        /// Spend what is shown without asking.
        #[arg(long)]
        yes: bool,
    },
    /// Change the words of a class. Every rule runs again, you become an author, and earlier approvals are void. Without a
    /// change it prints the copy in the form that --file takes.
    #[command(
        after_help = "Example: mailwright campaigns edit cmp-3f2a91c04d7e cls-91c04d7e3f2a > class.json\n         mailwright campaigns edit cmp-3f2a91c04d7e cls-91c04d7e3f2a --as sam --file class.json\n         mailwright campaigns edit cmp-3f2a91c04d7e cls-91c04d7e3f2a --as sam --preheader \"What fits, and why\""
    )]
    Edit(edit::EditArgs),
    /// Put an approved campaign on its schedule.
    #[command(after_help = "Example: mailwright campaigns schedule cmp-3f2a91c04d7e --as mira")]
    Schedule {
        /// The campaign.
        id: CampaignId,
        /// Who you are.
        #[arg(long = "as", value_name = "NAME")]
        name: String,
    },
    /// Send what is due of a scheduled campaign. Broken off anywhere, call it again.
    #[command(after_help = "Example: mailwright campaigns run cmp-3f2a91c04d7e")]
    Run {
        /// The campaign.
        id: CampaignId,
    },
    /// Call a campaign off: nothing of it leaves any more.
    #[command(after_help = "Example: mailwright campaigns cancel cmp-3f2a91c04d7e --as nora --reason \"wrong week\"")]
    Cancel {
        /// The campaign.
        id: CampaignId,
        /// Who you are.
        #[arg(long = "as", value_name = "NAME")]
        name: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

pub(super) async fn run(global: &Global, args: CampaignsArgs, out: &Out) -> Result<(), Failure> {
    let app = App::open(global, out).await?;
    let done = perform(&app, args.command, out).await;
    app.close().await;
    done
}

async fn perform(app: &App, command: CampaignsCommand, out: &Out) -> Result<(), Failure> {
    let tenant = &app.tenant;
    match command {
        CampaignsCommand::List => list(app, out).await,
        CampaignsCommand::Show { id } => show(app, &id, out).await,
        CampaignsCommand::Write { brief, file, name, yes } => {
            write(app, brief.as_ref(), file.as_ref(), &name, yes, out).await
        }
        CampaignsCommand::Edit(args) => edit::run(app, args, out).await,
        CampaignsCommand::Schedule { id, name } => {
            let who = app.who(&name, Role::Marketer, "campaigns schedule").await?;
            let approval = tenant.schedule_campaign(&id, &who).await.map_err(failure)?;
            let next = tenant.store.next_recipient(&id).await.map_err(failure)?;
            out.value(&serde_json::json!({ "campaign": id, "approval": approval.record.id, "next": next }))?;
            let next = next.map_or_else(|| "nobody waits".to_owned(), |at| format!("the first message is due at {at}"));
            out.line(&format!("{} {id}; {next}: mailwright campaigns run {id}", out.ink(Ink::Good, "scheduled")));
            Ok(())
        }
        CampaignsCommand::Run { id } => {
            let told = *out;
            let tell =
                move |p: Progress| told.note(&format!("  {} sent, {} left out, {} held", p.sent, p.removed, p.held));
            let progress = loop {
                match tenant.run_campaign(&id, &tell).await {
                    Err(CampaignError::Recallable { until }) => {
                        out.note(&format!("  its approval can be recalled until {until}; it is sent then"));
                        tenant.clock.wait(until).await;
                    }
                    ended => break ended.map_err(failure)?,
                }
            };
            let next = tenant.store.next_recipient(&id).await.map_err(failure)?;
            out.value(&serde_json::json!({ "campaign": id, "progress": progress, "next": next }))?;
            let Progress { sent, removed, held, failed, waiting } = progress;
            out.line(&format!(
                "{} {sent} sent, {removed} left out, {held} held, {failed} failed, {waiting} wait",
                out.ink(Ink::Good, "ran")
            ));
            if let Some(next) = next {
                out.line(&format!("  the next message is due at {next}"));
            }
            Ok(())
        }
        CampaignsCommand::Cancel { id, name, reason } => {
            let who = app.who(&name, Role::Marketer, "campaigns cancel").await?;
            tenant.cancel_campaign(&id, &who, &reason).await.map_err(failure)?;
            out.value(&serde_json::json!({ "campaign": id, "state": "cancelled" }))?;
            out.line(&format!("{} {id}: nothing of it leaves any more", out.ink(Ink::Warn, "cancelled")));
            Ok(())
        }
    }
}

async fn write(
    app: &App,
    id: Option<&BriefId>,
    file: Option<&PathBuf>,
    name: &str,
    yes: bool,
    out: &Out,
) -> Result<(), Failure> {
    let tenant = &app.tenant;
    let who = app.who(name, Role::Marketer, "campaigns write").await?;
    let (named, brief) = match (id, file) {
        (Some(id), _) => {
            let found = tenant.store.brief(id, None).await.map_err(failure)?;
            let found = found.ok_or_else(|| Failure::new(format!("there is no brief {id}")))?;
            (id.to_string(), found.brief)
        }
        (None, Some(file)) => {
            let bytes = super::trigger::read(file)?;
            let brief: Brief =
                serde_json::from_slice(&bytes).map_err(|e| Failure::new(format!("{}: {e}", file.display())))?;
            (format!("file:{name}"), brief)
        }
        (None, None) => return Err(Failure::new("name a brief, or give one with --file")),
    };
    let (campaign, estimate) = freeze(app, &named, &brief, &who, out).await?;
    if estimate.classes > 0 && !yes && !agreed(*out)? {
        out.line(&format!("Nothing was spent. The audience stays frozen in {campaign}."));
        return Ok(());
    }
    let approval = spend(app, &campaign, &who, out).await?;
    out.value(&serde_json::json!({ "campaign": campaign, "estimate": estimate, "approval": approval }))
}

/// Freezes a brief's audience and tells what writing to it will take. Nothing is spent yet.
pub(super) async fn freeze(
    app: &App,
    named: &str,
    brief: &Brief,
    who: &Principal,
    out: &Out,
) -> Result<(CampaignId, Estimate), Failure> {
    let campaign = app.tenant.freeze_campaign(named, brief, who).await.map_err(failure)?;
    let estimate = app.tenant.estimate(&campaign).await.map_err(failure)?;
    out.line(&format!("{} {campaign}", out.ink(Ink::Bold, "campaign")));
    for line in estimated(&estimate, app.tenant.model()) {
        out.line(&format!("  {line}"));
    }
    Ok((campaign, estimate))
}

/// Has every class written and asks for the one approval.
pub(super) async fn spend(app: &App, campaign: &CampaignId, who: &Principal, out: &Out) -> Result<ApprovalId, Failure> {
    app.tenant.write_campaign(campaign, who, Arc::new(Trace::new(*out))).await.map_err(failure)?;
    let approval = app.tenant.ask_for_campaign(campaign, who).await.map_err(failure)?;
    out.line(&format!(
        "{} every class; somebody else than {who} decides: mailwright approvals show {approval}",
        out.ink(Ink::Good, "wrote")
    ));
    Ok(approval)
}

/// What writing will take, in words.
fn estimated(e: &Estimate, model: &str) -> Vec<String> {
    let dollars = |micros: u64| format!("${}.{:04}", micros / 1_000_000, micros % 1_000_000 / 100);
    let cost = match e.cost_micros {
        Some((0, 0)) => "costs nothing".to_owned(),
        Some((least, most)) => format!("costs {} to {}", dollars(least), dollars(most)),
        None => "costs what your model costs: its prices are not in the configuration".to_owned(),
    };
    vec![
        format!("{} classes to write with {model}: {} to {} model calls", e.classes, e.calls.0, e.calls.1),
        format!("about {} to {} tokens; {cost}; bounded at {}", e.tokens.0, e.tokens.1, dollars(e.bound_micros)),
    ]
}

/// Asks on a terminal; elsewhere only `--yes` spends.
fn agreed(out: Out) -> Result<bool, Failure> {
    let input = std::io::stdin();
    if out.is_json() || !input.is_terminal() {
        return Err(Failure::new("this spends model calls: say --yes"));
    }
    out.line("Write them? [y/N]");
    let mut line = String::new();
    input.lock().read_line(&mut line).map_err(failure)?;
    Ok(matches!(line.trim().to_lowercase().as_str(), "y" | "yes"))
}

async fn list(app: &App, out: &Out) -> Result<(), Failure> {
    let campaigns = app.tenant.store.campaigns(200).await.map_err(failure)?;
    let cards: Vec<_> = campaigns.iter().map(card).collect();
    out.value(&cards)?;
    let rows: Vec<Vec<String>> = campaigns
        .iter()
        .map(|c| {
            vec![
                c.id.to_string(),
                short(&c.title, 40),
                c.state.as_str().to_owned(),
                c.count.recipients.to_string(),
                c.created_at.strftime("%Y-%m-%d %H:%M").to_string(),
            ]
        })
        .collect();
    out.table(&["campaign", "title", "state", "recipients", "frozen (UTC)"], &rows);
    Ok(())
}

fn card(c: &Campaign) -> serde_json::Value {
    serde_json::json!({
        "campaign": c.id, "title": c.title, "state": c.state, "audience": c.count, "release": c.release, "owner": c.owner,
        "why": c.why, "created_at": c.created_at,
    })
}

async fn show(app: &App, id: &CampaignId, out: &Out) -> Result<(), Failure> {
    let store = &app.tenant.store;
    let found = store.campaign(id).await.map_err(failure)?;
    let campaign =
        found.ok_or_else(|| Failure::new(format!("there is no campaign {id}; see `mailwright campaigns list`")))?;
    let classes = store.campaign_classes(id).await.map_err(failure)?;
    let counts = store.recipient_counts(id).await.map_err(failure)?;
    let approvals = store.campaign_approvals(id).await.map_err(failure)?;
    let standing: Vec<_> = counts
        .iter()
        .map(|((state, why), people)| serde_json::json!({ "state": state, "why": why, "people": people }))
        .collect();
    let mut value = card(&campaign);
    if let Some(fields) = value.as_object_mut() {
        let of = |c: &crate::store::ClassRow| serde_json::json!({ "class": c.id, "people": c.people, "written": c.copy.is_some() });
        fields.insert("classes".to_owned(), classes.iter().map(of).collect());
        fields.insert("people".to_owned(), standing.into());
        let ids: Vec<String> = approvals.iter().map(|a| a.record.id.to_string()).collect();
        fields.insert("approvals".to_owned(), ids.into());
    }
    out.value(&value)?;
    out.line(&format!(
        "{} {id} {} ({})",
        out.ink(Ink::Bold, "campaign"),
        clean(&campaign.title),
        campaign.state.as_str()
    ));
    for class in &classes {
        let written = if class.copy.is_some() { "written" } else { "not written" };
        out.line(&format!("  class     {} {} people, {written}", class.id, class.people));
    }
    for ((state, why), people) in &counts {
        let why = if why.is_empty() { String::new() } else { format!(": {}", clean(why)) };
        out.line(&format!("  people    {people} {state}{why}"));
    }
    for approval in &approvals {
        let state = format!("{:?}", approval.record.state).to_lowercase();
        out.line(&format!("  approval  {} {state}", approval.record.id));
    }
    Ok(())
}

/// The campaign as its approver sees it.
pub(super) fn view(
    approval: &CampaignApproval,
    view: &CampaignView,
    looked: &Looked,
    out: &Out,
) -> Result<(), Failure> {
    let mut value = serde_json::json!({
        "approval": approval.record.id, "state": approval.record.state, "version": approval.version,
        "authors": approval.record.authors, "expires_at": approval.record.expires_at, "terms": approval.terms, "view": view,
    });
    with_route(&mut value, looked);
    out.value(&value)?;
    let state = format!("{:?}", approval.record.state).to_lowercase();
    out.line(&format!(
        "{} {} ({state}, version {})",
        out.ink(Ink::Bold, "approval"),
        approval.record.id,
        approval.version
    ));
    out.line(&format!("  campaign  {} {}", view.campaign, clean(&view.title)));
    out.line(&format!("  leaves    from {} to {}", view.window.0, view.window.1));
    out.line(&format!("  audience  {} of {} who fit", view.audience.recipients, view.audience.matched));
    for excluded in &view.audience.excluded {
        let reason = format!("{:?}", excluded.reason).to_lowercase();
        out.line(&format!("  left out  {} ({reason})", excluded.people));
    }
    for (channel, people) in &view.channels {
        out.line(&format!("  by {channel:<6} {people}"));
    }
    for (why, people) in &view.not_composed {
        out.line(&format!("  {} {people} get none: {}", out.ink(Ink::Warn, "gap     "), clean(why)));
    }
    if let Some(cost) = view.offer_cost_max {
        out.line(&format!("  offer     costs at most {cost}"));
    }
    if view.sms_parts > 0 {
        out.line(&format!("  SMS       {} parts in all", view.sms_parts));
    }
    for class in &view.classes {
        let offer = class.key.offer.as_ref().map(|o| format!(", offer {o}")).unwrap_or_default();
        let angle = class.key.angle.words();
        let heading = format!(
            "class {}: {} people, {} in `{}`, {angle}{offer}",
            class.class, class.people, class.key.lead, class.key.language
        );
        out.line(&format!("\n{}", out.ink(Ink::Bold, &heading)));
        for (at, subject) in class.chosen.iter().enumerate() {
            let role = if at < class.tested { "tested" } else { "spare" };
            out.line(&format!("  subject   {} ({role})", clean(subject)));
        }
        out.line(&format!("  and {} more written", class.subjects.len().saturating_sub(class.chosen.len())));
    }
    let people =
        view.sample.iter().map(|p| ("sample".to_owned(), p)).chain(view.worst.iter().map(|(why, p)| (why.clone(), p)));
    for (why, person) in people {
        out.line(&format!("\n{} {} ({})", out.ink(Ink::Name, &why), person.to, person.class));
        if let Some(subject) = &person.subject {
            out.line(&format!("  subject   {}", clean(subject)));
        }
        for (product, path) in &person.products {
            out.line(&format!("  because   {product}: {}", clean(path)));
        }
        for line in person.text.lines() {
            out.line(&format!("  | {}", clean(line)));
        }
    }
    out.line(&format!("\n  authors   {}", approval.record.authors.iter().cloned().collect::<Vec<_>>().join(", ")));
    let terms = &approval.terms;
    out.line(&format!(
        "  you sign  {} ({} people {}, {} products within {} per mille, rules {}, release {})",
        view.terms.short(),
        terms.recipients,
        terms.audience.short(),
        terms.products.len(),
        terms.price_tolerance_permille,
        terms.rules.short(),
        terms.release.short()
    ));
    route_lines(looked, out);
    Ok(())
}
