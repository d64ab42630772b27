//! `mailwright sends list|show`: the ledger.

use clap::{Args, Subcommand};
use esp::Outbox;
use kit::message::DedupeKey;

use super::app::{self, OUTBOX};
use super::out::{Out, clean};
use super::{Failure, Global, failure};
use crate::store::ShopStore;

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
        /// The key, or its beginning.
        key: String,
    },
}

pub(super) async fn run(global: &Global, args: SendsArgs, out: &Out) -> Result<(), Failure> {
    let (store, _) = app::open_store(global).await?;
    let done = perform(&store, args.command, out).await;
    store.store().clone().close().await;
    done
}

async fn perform(store: &ShopStore, command: SendsCommand, out: &Out) -> Result<(), Failure> {
    match command {
        SendsCommand::List => {
            let sends = store.sends(200).await.map_err(failure)?;
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
            let key = whole(store, &key).await?;
            let row = store.sent_message(key).await.map_err(failure)?;
            let row =
                row.ok_or_else(|| Failure::new(format!("there is no send {key}; see `mailwright sends list`")))?;
            let outbox = Outbox::open(store.store().dir().join(OUTBOX)).map_err(failure)?;
            let file = outbox.find(key).map_err(failure)?;
            let (mail, sms) = (row.message.mail(), row.message.sms());
            out.value(&match sms {
                Some(sms) => serde_json::json!({ "key": key, "state": row.state, "text": sms.body, "parts": sms.parts, "file": file }),
                None => serde_json::json!({ "key": key, "state": row.state, "subject": mail.map(|m| &m.subject), "text": row.message.text(), "html": mail.map(|m| &m.html), "file": file }),
            })?;
            if let Some(mail) = mail {
                out.line(&format!("subject  {}", clean(&mail.subject)));
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

/// The key that begins like this, as in the list.
async fn whole(store: &ShopStore, beginning: &str) -> Result<DedupeKey, Failure> {
    if let Ok(key) = beginning.parse() {
        return Ok(key);
    }
    let sends = store.sends(10_000).await.map_err(failure)?;
    let found: Vec<&str> = sends.iter().map(|s| s.key.as_str()).filter(|key| key.starts_with(beginning)).collect();
    match found.as_slice() {
        [one] => one.parse().map_err(failure),
        none_or_many => Err(Failure::new(format!(
            "{} send(s) have a key that begins with `{beginning}`; see `mailwright sends list`",
            none_or_many.len()
        ))),
    }
}
