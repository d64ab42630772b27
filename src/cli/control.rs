//! `mailwright approvals control`: what goes out when nobody decided in time, and the one approval that lets it.

use clap::Subcommand;
use kit::{ApprovalId, FlowId, Role};

use super::app::{self, App};
use super::out::{Ink, Out, clean};
use super::{Failure, failure};
use crate::approvals::{ControlFinding, ControlRefused, ControlView};
use crate::flows::OnExpiry;

#[derive(Debug, Subcommand)]
pub(super) enum ControlCommand {
    /// The flows, and whether a control goes out when nobody decides in time. The same as without a word.
    #[command(after_help = "Example: mailwright approvals control list")]
    List,
    /// A control word for word, with what approving it names.
    #[command(after_help = "Example: mailwright approvals control show abandoned-checkout")]
    Show {
        /// The flow.
        flow: FlowId,
    },
    /// Approve a control for this flow and the release in force: exactly what `show` showed. Words that a content rule
    /// stops are refused.
    #[command(
        after_help = "Example: mailwright approvals control approve abandoned-checkout --seen ctl-3f2a91c04d7e --as nora"
    )]
    Approve {
        /// The flow.
        flow: FlowId,
        /// What you saw, as `show` prints it.
        #[arg(long, value_name = "CONTROL")]
        seen: ApprovalId,
        /// Who you are.
        #[arg(long = "as", value_name = "NAME")]
        name: String,
    },
    /// Take that approval back: nothing that has not left goes out by it.
    #[command(
        after_help = "Example: mailwright approvals control revoke abandoned-checkout --as nora --reason \"the wrong season\""
    )]
    Revoke {
        /// The flow.
        flow: FlowId,
        /// Who you are.
        #[arg(long = "as", value_name = "NAME")]
        name: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

pub(super) async fn perform(app: &App, command: Option<ControlCommand>, out: &Out) -> Result<(), Failure> {
    let tenant = &app.tenant;
    match command {
        None | Some(ControlCommand::List) => {
            let views = tenant.controls().await.map_err(failure)?;
            out.value(&views.iter().map(value).collect::<Vec<_>>())?;
            let row = |view: &ControlView| {
                let name = view.control.as_ref().map_or_else(String::new, |(name, _)| name.to_string());
                vec![view.flow.to_string(), word(view.on_expiry).to_owned(), name, state(view)]
            };
            out.table(&["flow", "on expiry", "control", ""], &views.iter().map(row).collect::<Vec<_>>());
            Ok(())
        }
        Some(ControlCommand::Show { flow }) => {
            let view = tenant.control(&flow).await.map_err(failure)?;
            let findings = tenant.control_findings(&flow).map_err(failure)?;
            let mut shown = value(&view);
            if let Some(fields) = shown.as_object_mut() {
                fields.insert("findings".to_owned(), serde_json::json!(findings));
            }
            out.value(&shown)?;
            show(&view, &findings, out);
            Ok(())
        }
        Some(ControlCommand::Approve { flow, seen, name }) => {
            let who = app.who(&name, Role::Approver, "approvals control approve").await?;
            let approved = tenant.approve_control(&flow, &who, &seen).await;
            // A finding shows words of the file, which is shown to people without what could hide in them.
            let told = |e: ControlRefused| e.to_string().lines().map(clean).collect::<Vec<_>>().join("\n");
            let approved = approved.map_err(|e| Failure::new(told(e)))?;
            out.value(&approved)?;
            out.line(&format!("{} {seen}, the control of {flow}, by {name}", out.ink(Ink::Good, "approved")));
            out.line("  it counts for this release; any change of the release asks for it again");
            Ok(())
        }
        Some(ControlCommand::Revoke { flow, name, reason }) => {
            let who = app.who(&name, Role::Approver, "approvals control revoke").await?;
            tenant.revoke_control(&flow, &who, app::reason(&reason)?).await.map_err(failure)?;
            out.value(&serde_json::json!({ "flow": flow, "revoked": true }))?;
            out.line(&format!("{} the control of {flow}", out.ink(Ink::Warn, "revoked")));
            Ok(())
        }
    }
}

fn word(on_expiry: OnExpiry) -> &'static str {
    match on_expiry {
        OnExpiry::Skip => "skip",
        OnExpiry::Control => "control",
    }
}

fn state(view: &ControlView) -> String {
    match (&view.control, &view.standing) {
        (None, _) => "no control".to_owned(),
        (Some(_), None) => "not approved: nothing goes out".to_owned(),
        (Some(_), Some(standing)) => match standing.revoked_at {
            Some(at) => format!("revoked at {at}: nothing goes out"),
            None => format!("approved by {} at {}", standing.approved_by, standing.approved_at),
        },
    }
}

fn value(view: &ControlView) -> serde_json::Value {
    serde_json::json!({
        "flow": view.flow, "release": view.release, "on_expiry": word(view.on_expiry),
        "control": view.control.as_ref().map(|(name, _)| name),
        "text": view.control.as_ref().map(|(_, control)| &control.texts),
        "approved": view.standing,
    })
}

fn show(view: &ControlView, findings: &[ControlFinding], out: &Out) {
    out.line(&format!("{} {} ({})", out.ink(Ink::Bold, "control of"), view.flow, state(view)));
    out.line(&format!("  on expiry  {}   release {}", word(view.on_expiry), view.release.short()));
    let Some((name, control)) = &view.control else { return };
    for (language, text) in &control.texts {
        let (first, others) = text.subjects.split_first().map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
        out.line(&format!("\n  {language}  {}", out.ink(Ink::Good, &clean(first))));
        others.iter().for_each(|subject| out.line(&format!("      not sent: {}", clean(subject))));
        out.line(&format!("      {}", clean(&text.preheader)));
        out.line(&format!("    | {}", clean(&text.heading)));
        text.paragraphs.iter().for_each(|words| out.line(&format!("    | {}", clean(words))));
        if let Some(reason) = &text.product {
            out.line(&format!("    | [the product it is about] {}", clean(reason)));
        }
        out.line(&format!("    | [{}] {:?}", clean(&text.button.label), text.button.to));
    }
    for finding in findings {
        let ink = if finding.stops() { Ink::Bad } else { Ink::Warn };
        out.line(&format!("\n  {}", out.ink(ink, &clean(&finding.to_string()))));
    }
    out.line(&format!("\n  seen       {name}"));
}
