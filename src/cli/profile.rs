//! `mailwright profile show CUSTOMER`: what is known of a person, and from which data.

use clap::{Args, Subcommand};
use kit::{CustomerId, message::Channel};
use profile::{Profiles as _, Thresholds, explain};

use super::app::App;
use super::out::{Ink, Out};
use super::{Failure, Global, failure};

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
    },
}

pub(super) async fn run(global: &Global, args: ProfileArgs, out: &Out) -> Result<(), Failure> {
    let app = App::open(global, out).await?;
    let ProfileCommand::Show { customer } = args.command;
    let done = show(&app, &customer, out).await;
    app.close().await;
    done
}

async fn show(app: &App, customer: &CustomerId, out: &Out) -> Result<(), Failure> {
    let tenant = &app.tenant;
    let now = tenant.clock.now();
    let unknown = || Failure::new(format!("there is no customer `{customer}`"));
    let known = tenant.store.customer(customer).await.map_err(failure)?.ok_or_else(unknown)?;
    let snapshot =
        tenant.people().snapshot(tenant.store.id(), customer, now).await.map_err(failure)?.ok_or_else(unknown)?;
    let profile = explain(&snapshot, &tenant.norms, &Thresholds::default(), now);
    let consent = tenant.store.consent(customer, Channel::Email).await.map_err(failure)?;
    let address = known.email.as_ref().map_or_else(|| "none".to_owned(), kit::person::Email::masked);
    out.value(&serde_json::json!({ "customer": customer, "email": address, "consent": consent, "vip": known.vip, "profile": profile }))?;
    out.line(&format!("{} {customer}  {address}  e-mail consent: {consent:?}", out.ink(Ink::Bold, "customer")));
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
    Ok(())
}
