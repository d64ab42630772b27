//! `mailwright brand check FILE`, `brand explain RULE`, `brand dry-run FILE` and `brand proposals`.

mod proposals;

use std::path::PathBuf;

use brand::{CheckContext, RuleBook, legal};
use clap::{Args, Subcommand};
use kit::message::{BrandScore, Finding, Part, Place, Severity};
use kit::{FactBook, FlowId, Language};

use super::app::App;
use super::out::{Ink, Out};
use super::{Failure, Global, failure, trigger};

#[derive(Debug, Args)]
#[command(after_help = "Example: mailwright brand explain")]
pub(super) struct BrandArgs {
    #[command(subcommand)]
    command: BrandCommand,
}

#[derive(Debug, Subcommand)]
enum BrandCommand {
    /// Check a text file: the first line is a subject, the rest body paragraphs, one a line.
    #[command(after_help = "Example: mailwright brand check draft.txt --language de")]
    Check {
        /// The file.
        file: PathBuf,
        /// The language it is written in.
        #[arg(long, default_value = "en")]
        language: String,
        /// The flow it belongs to.
        #[arg(long, default_value = "abandoned-checkout")]
        flow: FlowId,
    },
    /// Try a rule file on the messages of the last days: what would it have blocked or let pass?
    #[command(after_help = "Example: mailwright brand dry-run rules.toml --since 7d")]
    DryRun {
        /// The candidate's rules.
        rules: PathBuf,
        /// The candidate's claims; those in force without it.
        #[arg(long)]
        claims: Option<PathBuf>,
        /// How far back, in days, such as 7d.
        #[arg(long, default_value = "7d", value_parser = days)]
        since: u32,
    },
    /// Rules that rejections and edits of people suggest: nothing is in force until you accept it.
    #[command(after_help = "Example: mailwright brand proposals list")]
    Proposals {
        #[command(subcommand)]
        command: proposals::ProposalsCommand,
    },
    /// What a rule looks for, why, and how to mend a finding.
    #[command(after_help = "Example: mailwright brand explain figure.digits")]
    Explain {
        /// The rule; without one, all rules are listed.
        rule: Option<String>,
    },
}

pub(super) async fn run(global: &Global, args: BrandArgs, out: &Out) -> Result<(), Failure> {
    let app = App::open(global, out).await?;
    let done = act(&app, args, out).await;
    app.close().await;
    done
}

async fn act(app: &App, args: BrandArgs, out: &Out) -> Result<(), Failure> {
    let (release, now) = (app.tenant.release.clone(), app.tenant.clock.now());
    match args.command {
        BrandCommand::Check { file, language, flow } => {
            let bytes = trigger::read(&file)?;
            let text =
                String::from_utf8(bytes).map_err(|_| Failure::new(format!("{}: not UTF-8 text", file.display())))?;
            let language = Language::parse(&language).map_err(failure)?;
            let shop = &release.shop.identity;
            let tags = std::collections::BTreeMap::new();
            let context = CheckContext {
                language: &language,
                now,
                shop_name: &shop.name,
                link_hosts: &shop.link_hosts,
                flow: &flow,
                product_tags: &tags,
                learned: None,
            };
            let lines: Vec<(Place, &str)> = text
                .lines()
                .filter(|line| !line.trim().is_empty())
                .enumerate()
                .map(|(i, line)| {
                    (
                        if i == 0 {
                            Place::Subject { index: 0 }
                        } else {
                            Place::Block { index: i - 1, field: "text".to_owned() }
                        },
                        line,
                    )
                })
                .collect();
            let findings = release.rules.check_texts(&lines, &FactBook::new(), &context);
            out.value(&findings)?;
            for finding in &findings {
                let ink = if finding.severity == Severity::Block { Ink::Bad } else { Ink::Warn };
                out.line(&format!("{} [{}]", out.ink(ink, &finding.to_string()), finding.owner));
            }
            out.line(&scored(&findings));
            out.line(&format!("{} finding(s) in {}", findings.len(), file.display()));
            if findings.iter().any(|f| f.severity == Severity::Block) {
                return Err(Failure::new("this text may not leave"));
            }
            Ok(())
        }
        BrandCommand::DryRun { rules, claims, since } => dry_run(app, &rules, claims.as_ref(), since, out).await,
        BrandCommand::Proposals { command } => proposals::act(app, command, out).await,
        BrandCommand::Explain { rule: None } => {
            let laws = legal::all().iter().map(|law| law.id.as_str());
            let ids: Vec<&str> = release.rules.rule_ids().into_iter().chain(laws).collect();
            out.value(&ids)?;
            ids.iter().for_each(|id| out.line(id));
            Ok(())
        }
        BrandCommand::Explain { rule: Some(id) } => {
            if let Some(law) = legal::of(&id) {
                return explain_law(law, &release.rules, out);
            }
            let rule = release
                .rules
                .explain(&id)
                .ok_or_else(|| Failure::new(format!("there is no rule `{id}`; see `mailwright brand explain`")))?;
            out.value(&rule)?;
            out.line(&format!("{} ({:?})", out.ink(Ink::Bold, &rule.id), rule.severity));
            out.line(&format!("  why     {}\n  mend    {}\n  owner   {}", rule.why, rule.mend, rule.owner));
            if !rule.source.is_empty() {
                out.line(&format!("  source  {}", rule.source));
            }
            for (label, example) in [("passes", &rule.passes), ("fails", &rule.fails)] {
                if let Some(example) = example {
                    out.line(&format!("  {label:<7} {example}"));
                }
            }
            Ok(())
        }
    }
}

/// The score of a text in one line, with its parts.
fn scored(findings: &[Finding]) -> String {
    let score = BrandScore::of(findings);
    let parts: Vec<String> =
        Part::ALL.iter().zip(score.parts).map(|(part, points)| format!("{} {points}", part.as_str())).collect();
    format!("brand score {}: {}", score.total, parts.join(", "))
}

/// A law: what it asks, what keeps it with the examples of those rules, and what a lawyer must still confirm.
fn explain_law(law: &legal::Law, rules: &RuleBook, out: &Out) -> Result<(), Failure> {
    out.value(law)?;
    out.line(&format!("{} ({})", out.ink(Ink::Bold, &law.id), law.source));
    out.line(&format!("  asks    {}", law.asks));
    for rule in law.kept_by.iter().filter_map(|id| rules.explain(id)) {
        out.line(&format!("  rule    {}", rule.id));
        for (label, example) in [("passes", rule.passes), ("fails", rule.fails)] {
            if let Some(example) = example {
                out.line(&format!("            {label:<7} {example}"));
            }
        }
    }
    for place in &law.elsewhere {
        out.line(&format!("  code    {place}"));
    }
    out.line(&format!("  lawyer  {}", law.confirm));
    Ok(())
}

/// `7d` or `7`.
fn days(text: &str) -> Result<u32, String> {
    let number = text.strip_suffix('d').unwrap_or(text).parse().ok();
    number.filter(|days| (1..=366).contains(days)).ok_or_else(|| "write days from 1d to 366d, such as 7d".to_owned())
}

async fn dry_run(app: &App, rules: &PathBuf, claims: Option<&PathBuf>, since: u32, out: &Out) -> Result<(), Failure> {
    let text = |file: &PathBuf| {
        String::from_utf8(trigger::read(file)?).map_err(|_| Failure::new(format!("{}: not UTF-8 text", file.display())))
    };
    let (claims_label, claims) = match claims {
        Some(file) => (file.display().to_string(), text(file)?),
        None => {
            let path = "knowledge/brand/claims.toml";
            let files = app.tenant.store.active_release().await.map_err(failure)?.map(|(_, files)| files);
            let file = files.and_then(|mut files| files.remove(path));
            (path.to_owned(), file.ok_or_else(|| Failure::new(format!("the release in force has no {path}")))?)
        }
    };
    let candidate =
        RuleBook::parse(&rules.display().to_string(), &text(rules)?, &claims_label, &claims).map_err(failure)?;
    let trial = app.tenant.try_rules(&candidate, since, app.tenant.clock.now()).await.map_err(failure)?;
    out.value(&trial)?;
    for changed in &trial.changed {
        let (ink, what) =
            if changed.blocks() { (Ink::Bad, "would not leave") } else { (Ink::Warn, "judged otherwise") };
        let scores = format!("brand score {} to {}", changed.score_now, changed.score_then);
        out.line(&out.ink(ink, &format!("{} {what}, {scores}: {}", changed.run, changed.subject)));
        changed.added.iter().for_each(|finding| out.line(&format!("  + {finding}")));
        changed.dropped.iter().for_each(|finding| out.line(&format!("  - {finding}")));
    }
    trial.unread.iter().for_each(|why| out.line(&out.ink(Ink::Warn, why)));
    let blocked = trial.changed.iter().filter(|c| c.blocks()).count();
    let (messages, changed) = (trial.messages, trial.changed.len());
    out.line(&format!(
        "{messages} message(s) of {since} day(s): {changed} judged otherwise, {blocked} would not leave"
    ));
    Ok(())
}
