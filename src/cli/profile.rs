//! `mailwright profile show CUSTOMER`: what is known of a person, and from which data.

use clap::{Args, Subcommand};
use kit::message::Channel;
use kit::person::Email;
use kit::phone::Phone;
use kit::{CustomerId, Role};
use profile::{Profiles as _, Thresholds, explain};

use super::app::{self, App};
use super::out::{Ink, Out};
use super::{Failure, Global, failure};
use crate::store::Customer;

#[derive(Debug, Args)]
#[command(after_help = "Example: mailwright profile show C-ADA")]
pub(super) struct ProfileArgs {
    #[command(subcommand)]
    command: ProfileCommand,
}

#[derive(Debug, Subcommand)]
enum ProfileCommand {
    /// Stage, reasons with their sources, preferences. Addresses stay masked.
    #[command(after_help = "Example: mailwright profile show C-ADA")]
    Show {
        /// The customer.
        customer: CustomerId,
        /// Show name, e-mail address and number in full. It stands in the audit trail, with the reason.
        #[arg(long, requires = "name", requires = "reason")]
        unmask: bool,
        /// Who you are.
        #[arg(long = "as", value_name = "NAME")]
        name: Option<String>,
        /// Why you need to see it.
        #[arg(long)]
        reason: Option<String>,
    },
}

pub(super) async fn run(global: &Global, args: ProfileArgs, out: &Out) -> Result<(), Failure> {
    let app = App::open(global, out).await?;
    let ProfileCommand::Show { customer, unmask, name, reason } = args.command;
    let seen = name.zip(reason).filter(|_| unmask);
    let done = show(&app, &customer, seen, out).await;
    app.close().await;
    done
}

/// A person as a screen shows them.
#[derive(Debug, serde::Serialize)]
struct Shown {
    name: Option<String>,
    email: String,
    phone: String,
}

impl Shown {
    fn of(known: &Customer, phone: Option<&Phone>, whole: bool) -> Self {
        let none = || "none".to_owned();
        let address = |email: &Email| if whole { email.reveal().to_owned() } else { email.masked() };
        let number = |phone: &Phone| if whole { phone.reveal().to_owned() } else { phone.masked() };
        Self {
            name: known.first_name.clone().filter(|_| whole),
            email: known.email.as_ref().map_or_else(none, address),
            phone: phone.map_or_else(none, number),
        }
    }
}

/// `seen`: who wants to see the person unmasked, and why.
async fn show(app: &App, customer: &CustomerId, seen: Option<(String, String)>, out: &Out) -> Result<(), Failure> {
    let tenant = &app.tenant;
    let now = tenant.clock.now();
    let unknown = || Failure::new(format!("there is no customer `{customer}`"));
    let known = tenant.store.customer(customer).await.map_err(failure)?.ok_or_else(unknown)?;
    let snapshot =
        tenant.people().snapshot(tenant.store.id(), customer, now).await.map_err(failure)?.ok_or_else(unknown)?;
    let profile = explain(&snapshot, &*tenant.learned.norms().await.map_err(failure)?, &Thresholds::default(), now);
    let consent = tenant.store.consent(customer, Channel::Email).await.map_err(failure)?;
    if let Some((name, reason)) = &seen {
        // Whoever holds the data folder is its admin; the trail says who looked, before they do.
        let who = app.who(name, Role::Admin, "profile show --unmask").await?;
        tenant.store.note_unmasked(customer, &who, app::reason(reason)?.to_owned(), now).await.map_err(failure)?;
    }
    let phone = tenant.store.phone(customer).await.map_err(failure)?.map(|phone| phone.phone);
    let shown = Shown::of(&known, phone.as_ref(), seen.is_some());
    let Shown { name, email, phone } = &shown;
    let said = tenant.store.said_by(customer, kit::Timestamp::MIN).await.map_err(failure)?;
    out.value(&serde_json::json!({
        "customer": customer, "name": name, "email": email, "phone": phone, "consent": consent, "vip": known.vip, "profile": profile, "said": said,
    }))?;
    out.line(&format!("{} {customer}  {email}  e-mail consent: {consent:?}", out.ink(Ink::Bold, "customer")));
    if let Some(name) = name {
        out.line(&format!("  name     {name}  phone {phone}"));
    }
    out.line(&format!(
        "  language {}  zone {}{}",
        known.language,
        known.time_zone,
        if known.vip { "  VIP" } else { "" }
    ));
    out.line(&format!("  stage    {:?}", profile.stage));
    for reason in &profile.reasons {
        out.line(&format!(
            "  - {}",
            serde_json::to_value(reason).map_err(failure)?.get("text").and_then(|t| t.as_str()).unwrap_or_default()
        ));
    }
    out.line(&format!(
        "  {} order(s), {} recent visit(s), {} open ticket(s)",
        snapshot.orders.len(),
        snapshot.activity.len(),
        snapshot.open_tickets
    ));
    for said in &said {
        let topics: Vec<&str> = said.gist.topics.iter().map(|topic| topic.as_str()).collect();
        let topics = if topics.is_empty() { "nothing on the list".to_owned() } else { topics.join(", ") };
        let by = said.read_by.as_deref().unwrap_or("code");
        out.line(&format!(
            "  wrote a {} on {}: {topics} ({}; read by {by})",
            said.wrote.as_str(),
            said.at.strftime("%Y-%m-%d"),
            said.gist.tone.as_str()
        ));
    }
    Ok(())
}
