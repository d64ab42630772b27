//! `mailwright tools list|schema`: what a model may call.

use clap::{Args, Subcommand};

use super::out::{Out, short};
use super::{Failure, failure};
use crate::toolbox;

#[derive(Debug, Args)]
#[command(after_help = "Example: mailwright tools list")]
pub(super) struct ToolsArgs {
    #[command(subcommand)]
    command: ToolsCommand,
}

#[derive(Debug, Subcommand)]
enum ToolsCommand {
    /// The tools, what a call does, and when each is on offer.
    #[command(after_help = "Example: mailwright tools list")]
    List,
    /// The array that is sent as `tools` to a model; with a name, one of them.
    #[command(after_help = "Example: mailwright tools schema --json")]
    Schema {
        /// One tool.
        name: Option<String>,
    },
}

pub(super) fn run(args: ToolsArgs, out: &Out) -> Result<(), Failure> {
    let specs = toolbox::specs().map_err(failure)?;
    match args.command {
        ToolsCommand::List => {
            let json: Vec<_> = specs
                .iter()
                .map(|s| serde_json::json!({ "name": s.name, "effect": s.effect, "phases": s.phases }))
                .collect();
            out.value(&json)?;
            let rows: Vec<Vec<String>> = specs
                .iter()
                .map(|s| {
                    let phases: Vec<String> = s.phases.iter().map(|p| format!("{p:?}").to_lowercase()).collect();
                    let first =
                        s.description.lines().find(|l| !l.trim().is_empty() && !l.starts_with('#')).unwrap_or_default();
                    vec![
                        s.name.to_owned(),
                        format!("{:?}", s.effect).to_lowercase(),
                        phases.join(" "),
                        short(first, 70),
                    ]
                })
                .collect();
            out.table(&["tool", "effect", "on offer in", "what for"], &rows);
            Ok(())
        }
        ToolsCommand::Schema { name } => {
            let chosen: Vec<_> = specs
                .iter()
                .filter(|s| name.as_deref().is_none_or(|n| n == s.name))
                .map(kit::tool::ToolSpec::to_openai)
                .collect();
            if chosen.is_empty() {
                return Err(Failure::new(format!(
                    "there is no tool `{}`; see `mailwright tools list`",
                    name.unwrap_or_default()
                )));
            }
            out.raw(&serde_json::to_string_pretty(&chosen).map_err(failure)?);
            Ok(())
        }
    }
}
