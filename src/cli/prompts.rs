//! `mailwright prompts list|show`: the prompt library of the release in force.

use clap::{Args, Subcommand};

use super::app::App;
use super::out::Out;
use super::{Failure, Global, failure};

#[derive(Debug, Args)]
#[command(after_help = "Example: mailwright prompts list")]
pub(super) struct PromptsArgs {
    #[command(subcommand)]
    command: PromptsCommand,
}

#[derive(Debug, Subcommand)]
enum PromptsCommand {
    /// Flows with their trigger, wait and owner.
    #[command(after_help = "Example: mailwright prompts list")]
    List,
    /// What a model is told for a flow.
    #[command(after_help = "Example: mailwright prompts show abandoned-checkout")]
    Show {
        /// The flow.
        flow: String,
    },
}

pub(super) async fn run(global: &Global, args: PromptsArgs, out: &Out) -> Result<(), Failure> {
    let app = App::open(global, out).await?;
    let release = app.tenant.release.clone();
    app.close().await;
    match args.command {
        PromptsCommand::List => {
            let rows: Vec<Vec<String>> = release
                .flows
                .values()
                .map(|f| {
                    let topics: Vec<&str> = f.rules.triggers.iter().map(|t| t.as_str()).collect();
                    vec![
                        f.rules.id.to_string(),
                        topics.join(" "),
                        format!("{:#}", f.rules.wait),
                        f.rules.owner.clone(),
                        f.rules.approved_by.clone(),
                    ]
                })
                .collect();
            out.value(&serde_json::json!({ "release": release.digest, "flows": rows }))?;
            out.line(&format!("release {}", release.digest));
            out.table(&["flow", "starts on", "waits", "owner", "approver"], &rows);
            Ok(())
        }
        PromptsCommand::Show { flow } => {
            let found = release.flows.values().find(|f| f.rules.id.as_str() == flow);
            let found = found
                .ok_or_else(|| Failure::new(format!("there is no flow `{flow}`; see `mailwright prompts list`")))?;
            out.value(&serde_json::json!({ "system": release.system, "flow": found.prompt })).map_err(failure)?;
            out.line(&format!("{}\n\n---\n\n{}", release.system, found.prompt));
            Ok(())
        }
    }
}
