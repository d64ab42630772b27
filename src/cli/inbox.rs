//! `mailwright inbox list|show|retry`: what shop systems sent, and what became of it.

use clap::{Args, Subcommand, ValueEnum};
use kit::EventId;

use super::out::{Out, clean, short};
use super::{Failure, Global, app, failure};
use crate::store::InboxState;

#[derive(Debug, Args)]
#[command(after_help = "Example: mailwright inbox list --state parked")]
pub(super) struct InboxArgs {
    #[command(subcommand)]
    command: InboxCommand,
}

/// Where events stand.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum StateName {
    /// Stored, not looked at.
    Received,
    /// Stored, its details are to be fetched.
    Fetching,
    /// Worked in.
    Done,
    /// A person must look.
    Parked,
}

#[derive(Debug, Subcommand)]
enum InboxCommand {
    /// Events, newest first.
    #[command(after_help = "Example: mailwright inbox list --state parked")]
    List {
        /// Only those that stand here.
        #[arg(long, value_enum)]
        state: Option<StateName>,
        /// How many.
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// An event with its body.
    #[command(after_help = "Example: mailwright inbox show main:98880550-7158-44d4-b7cd-2c97c8a091b5")]
    Show {
        /// The event.
        id: EventId,
    },
    /// Put a parked event back: it is worked in by the running server, or by `runs resume`.
    #[command(after_help = "Example: mailwright inbox retry main:98880550-7158-44d4-b7cd-2c97c8a091b5")]
    Retry {
        /// The event.
        id: EventId,
    },
}

pub(super) async fn run(global: &Global, args: InboxArgs, out: &Out) -> Result<(), Failure> {
    let (store, _) = app::open_store(global).await?;
    let unknown = |id: &EventId| Failure::new(format!("there is no event {id}; see `mailwright inbox list`"));
    let done = async {
        match args.command {
            InboxCommand::List { state, limit } => {
                let state = state.map(|state| match state {
                    StateName::Received => InboxState::Received,
                    StateName::Fetching => InboxState::Fetching,
                    StateName::Done => InboxState::Done,
                    StateName::Parked => InboxState::Parked,
                });
                let events = store.inbox(state, limit).await.map_err(failure)?;
                out.value(&events)?;
                let rows: Vec<Vec<String>> = events
                    .iter()
                    .map(|e| {
                        let state = format!("{:?}", e.state).to_lowercase();
                        let note = short(&clean(e.note.as_deref().unwrap_or_default()), 80);
                        vec![e.id.to_string(), e.source.clone(), e.topic.clone(), state, note]
                    })
                    .collect();
                out.table(&["event", "source", "topic", "state", "what became of it"], &rows);
                Ok(())
            }
            InboxCommand::Show { id } => {
                let event = store.event(&id).await.map_err(failure)?.ok_or_else(|| unknown(&id))?;
                let body = String::from_utf8_lossy(&event.body);
                out.value(&serde_json::json!({
                    "id": event.id, "source": event.source, "topic": event.topic, "state": event.state, "note": event.note,
                    "triggered_at": event.triggered_at, "received_at": event.received_at, "body": body,
                }))?;
                out.line(&format!("{} {} {}", event.id, event.source, event.topic));
                out.line(&format!("  {:?}: {}", event.state, clean(event.note.as_deref().unwrap_or("nothing yet"))));
                out.line(&clean(&body));
                Ok(())
            }
            InboxCommand::Retry { id } => {
                if store.event(&id).await.map_err(failure)?.is_none() {
                    return Err(unknown(&id));
                }
                if !store.retry_event(&id).await.map_err(failure)? {
                    return Err(Failure::new(format!("event {id} is not parked: there is nothing to retry")));
                }
                out.value(&serde_json::json!({ "retried": id }))?;
                out.line(&format!("{id} is taken up by the running server, or by `mailwright runs resume`"));
                Ok(())
            }
        }
    }
    .await;
    store.store().clone().close().await;
    done
}
