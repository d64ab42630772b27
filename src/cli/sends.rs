//! `mailwright sends list|show`: the ledger.

use clap::{Args, Subcommand};
use kit::message::DedupeKey;

use super::app::App;
use super::out::Out;
use super::{Failure, Global, failure};

#[derive(Debug, Args)]
#[command(after_help = "Example: mailwright sends list")]
pub(super) struct SendsArgs {
    #[command(subcommand)]
    command: SendsCommand,
}

#[derive(Debug, Subcommand)]
enum SendsCommand {
    /// Sends, newest first.
    #[command(after_help = "Example: mailwright sends list")]
    List,
    /// The message of a send, as text.
    #[command(after_help = "Example: mailwright sends show 8c1f…")]
    Show {
        /// The key, whole.
        key: String,
    },
}

pub(super) async fn run(global: &Global, args: SendsArgs, out: &Out) -> Result<(), Failure> {
    let app = App::open(global, out).await?;
    let done = perform(&app, args.command, out).await;
    app.close().await;
    done
}

async fn perform(app: &App, command: SendsCommand, out: &Out) -> Result<(), Failure> {
    match command {
        SendsCommand::List => {
            let sends = app.tenant.store.sends(200).await.map_err(failure)?;
            out.value(&sends)?;
            let rows: Vec<Vec<String>> = sends
                .iter()
                .map(|s| {
                    let approval = s.approval.clone().unwrap_or_else(|| "by policy".to_owned());
                    vec![
                        s.key.clone(),
                        s.flow.clone(),
                        s.customer.to_string(),
                        s.state.as_str().to_owned(),
                        approval,
                        s.reserved_at.strftime("%Y-%m-%d %H:%M").to_string(),
                    ]
                })
                .collect();
            out.table(&["key", "flow", "customer", "state", "cleared", "reserved (UTC)"], &rows);
            Ok(())
        }
        SendsCommand::Show { key } => {
            let key: DedupeKey = key
                .parse()
                .map_err(|_| Failure::new(format!("`{key}` is no whole key; see `mailwright sends list`")))?;
            let row = app.tenant.store.sent_message(key).await.map_err(failure)?;
            let row =
                row.ok_or_else(|| Failure::new(format!("there is no send {key}; see `mailwright sends list`")))?;
            let file = app.outbox.find(key).map_err(failure)?;
            let (mail, sms) = (row.message.mail(), row.message.sms());
            out.value(&match sms {
                Some(sms) => serde_json::json!({ "key": key, "state": row.state, "text": sms.body, "parts": sms.parts, "file": file }),
                None => serde_json::json!({ "key": key, "state": row.state, "subject": mail.map(|m| &m.subject), "text": row.message.text(), "html": mail.map(|m| &m.html), "file": file }),
            })?;
            if let Some(mail) = mail {
                out.line(&format!("subject  {}", mail.subject));
            }
            if let Some(sms) = sms {
                out.line(&format!("parts    {}", sms.parts));
            }
            out.line(&format!("to       {}\nstate    {}", row.message.to(), row.state.as_str()));
            if let Some(file) = file {
                out.line(&format!("file     {}", file.display()));
            }
            out.line(&format!("\n{}", row.message.text()));
            Ok(())
        }
    }
}
