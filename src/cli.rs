//! The command line: one file a sub-command. Exit code 0: done; 1: it failed, with what to do; 2: wrong usage. `eval` has
//! codes of its own: its verdict.

mod app;
mod approval_view;
mod approvals;
mod assent;
mod audit;
mod backup;
mod beside;
mod brand;
mod campaigns;
mod catalog;
mod chat;
mod connections;
mod control;
mod data;
mod demo;
mod diff;
mod eval;
mod graph;
mod inbox;
mod kill;
mod looks;
mod offers;
mod out;
mod profile;
mod prompts;
mod release;
mod runs;
mod sends;
mod serve;
mod story;
mod tokens;
mod tools;
mod trace;
mod trigger;
mod trust;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use kit::Timestamp;

use crate::cassette::Cassette;
use crate::model::openai::ToolMode;
use out::Out;

/// Lifecycle e-mail by an agent whose proposals code disposes of.
#[derive(Debug, Parser)]
#[command(name = "mailwright", version, about, after_help = "Example: mailwright demo")]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
struct Global {
    /// The data folder; default: the platform's data directory.
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Keep the tables in this PostgreSQL database instead of a file of the data folder, for example
    /// postgres://mailwright@localhost/mailwright. The password: MAILWRIGHT_STORE_PASSWORD, or the configuration file.
    #[arg(long, global = true, value_name = "URL")]
    store: Option<String>,
    /// The configuration file: which models may be asked, where the tables are.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The shop, when the data folder holds several.
    #[arg(long, global = true, value_name = "ID")]
    shop: Option<String>,
    /// Ask the model server at this address first (Chat Completions), for example <http://127.0.0.1:8080/v1>.
    #[arg(long, global = true, value_name = "URL")]
    base_url: Option<String>,
    /// The model's name for --base-url.
    #[arg(long, global = true, value_name = "NAME", default_value = "default")]
    model: String,
    /// How tools are put to the model at --base-url: native or json_schema (for servers that only hold a model to a schema).
    #[arg(long, global = true, value_name = "MODE", default_value = "native")]
    tool_mode: ToolMode,
    /// Answer requests to models from this recording instead of the network; with --record, record them into it.
    #[arg(long, global = true, value_name = "FILE")]
    cassette: Option<PathBuf>,
    /// Record into --cassette. Personal data and keys are replaced before anything is written.
    #[arg(long, global = true, requires = "cassette")]
    record: bool,
    /// The cassette, once it is open.
    #[arg(skip)]
    tape: Option<Arc<Cassette>>,
    /// Act as if it were this time (RFC 3339), for example 2026-11-17T10:00:00Z.
    #[arg(long, global = true, value_name = "TIME")]
    at: Option<Timestamp>,
    /// Print JSON for programs instead of text for people.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Sample shop, offline model, local outbox: fires real-shaped webhooks and shows what happens.
    Demo(demo::DemoArgs),
    /// One webhook body through the real pipeline, printed as a trace.
    Trigger(trigger::TriggerArgs),
    /// Brief a campaign by talking.
    Chat(chat::ChatArgs),
    /// List, show, approve, reject or edit what waits for a person.
    Approvals(approvals::ApprovalsArgs),
    /// List, show, replay, compare, start or resume runs.
    Runs(runs::RunsArgs),
    /// List or show what was sent.
    Sends(sends::SendsArgs),
    /// Campaigns: write, schedule, run or call off what a brief became.
    Campaigns(campaigns::CampaignsArgs),
    /// How long data is kept, and letting go what is too old.
    Data(data::DataArgs),
    /// Offers beyond the ladder that models wished for.
    Offers(offers::OffersArgs),
    /// Import or search the catalogue.
    Catalog(catalog::CatalogArgs),
    /// Ask the product-knowledge graph.
    Graph(graph::GraphArgs),
    /// Show what is known of a customer, and why.
    Profile(profile::ProfileArgs),
    /// Check texts against the brand rules, or explain a rule.
    Brand(brand::BrandArgs),
    /// List the tools or print their schemas.
    Tools(tools::ToolsArgs),
    /// List the prompts of the release in force, or print one.
    Prompts(prompts::PromptsArgs),
    /// What the shop runs: show, export, apply or roll back its prompts, rules and policy.
    Release(release::ReleaseArgs),
    /// Stop sending: everything, a shop, or one flow.
    Kill(kill::KillArgs),
    /// Who did what, and that nobody has changed it since.
    Audit(audit::AuditArgs),
    /// Webhooks, the API, unsubscribe links, and the workers.
    Serve(serve::ServeArgs),
    /// Who may use the API.
    Tokens(tokens::TokensArgs),
    /// Which shop systems may send webhooks.
    Connections(connections::ConnectionsArgs),
    /// What shop systems sent, and what became of it.
    Inbox(inbox::InboxArgs),
    /// Play cases, judge what left, and gate a change.
    Eval(eval::EvalArgs),
    /// Copy the data folder while it is in use.
    Backup(backup::BackupArgs),
    /// Put a backup back into a new data folder; it comes back stopped.
    Restore(backup::RestoreArgs),
}

/// A failure as shown to people: the message says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Failure(String);

impl Failure {
    fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// Any error of the library ends a command with its message.
fn failure(error: impl std::error::Error) -> Failure {
    Failure(error.to_string())
}

/// Parses the arguments and runs the command.
pub async fn main() -> ExitCode {
    let Cli { mut global, command } = Cli::parse();
    let out = Out::new(global.json);
    let (mut code, mut failures) = (ExitCode::SUCCESS, Vec::new());
    match app::tape(&global) {
        Ok(tape) => {
            global.tape = tape;
            match run(&global, command, &out).await {
                Ok(ended) => code = ended,
                Err(failure) => failures.push(failure),
            }
            // A recording that does not fit fails the command, whatever came of it.
            failures.extend(global.tape.and_then(|tape| tape.finish().map_err(failure).err()));
        }
        Err(failure) => failures.push(failure),
    }
    for failure in &failures {
        out.error(&failure.to_string());
    }
    if failures.is_empty() { code } else { ExitCode::FAILURE }
}

async fn run(global: &Global, command: Command, out: &Out) -> Result<ExitCode, Failure> {
    match command {
        // The verdict is the exit code.
        Command::Eval(args) => return Ok(eval::run(global, args, out).await),
        Command::Demo(args) => demo::run(global, args, out).await,
        Command::Trigger(args) => trigger::run(global, args, out).await,
        Command::Chat(args) => chat::run(global, args, out).await,
        Command::Approvals(args) => approvals::run(global, args, out).await,
        Command::Runs(args) => runs::run(global, args, out).await,
        Command::Sends(args) => sends::run(global, args, out).await,
        Command::Campaigns(args) => campaigns::run(global, args, out).await,
        Command::Offers(args) => offers::run(global, args, out).await,
        Command::Data(args) => data::run(global, args, out).await,
        Command::Catalog(args) => catalog::run(global, args, out).await,
        Command::Graph(args) => graph::run(global, args, out).await,
        Command::Profile(args) => profile::run(global, args, out).await,
        Command::Brand(args) => brand::run(global, args, out).await,
        Command::Tools(args) => tools::run(args, out),
        Command::Prompts(args) => prompts::run(global, args, out).await,
        Command::Release(args) => release::run(global, args, out).await,
        Command::Kill(args) => kill::run(global, args, out).await,
        Command::Audit(args) => audit::run(global, args, out).await,
        Command::Serve(args) => serve::run(global, args, out).await,
        Command::Tokens(args) => tokens::run(global, args, out).await,
        Command::Connections(args) => connections::run(global, args, out).await,
        Command::Inbox(args) => inbox::run(global, args, out).await,
        Command::Backup(args) => backup::back_up(global, args, out).await,
        Command::Restore(args) => backup::restore(global, args, out).await,
    }?;
    Ok(ExitCode::SUCCESS)
}
