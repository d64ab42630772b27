//! `mailwright brand check FILE` and `brand explain RULE`.

use std::path::PathBuf;

use brand::CheckContext;
use clap::{Args, Subcommand};
use kit::message::{Place, Severity};
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
    /// What a rule looks for, why, and how to mend a finding.
    #[command(after_help = "Example: mailwright brand explain figure.digits")]
    Explain {
        /// The rule; without one, all rules are listed.
        rule: Option<String>,
    },
}

pub(super) async fn run(global: &Global, args: BrandArgs, out: &Out) -> Result<(), Failure> {
    let app = App::open(global, out).await?;
    let (release, now) = (app.tenant.release.clone(), app.tenant.clock.now());
    app.close().await;
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
                out.line(&out.ink(ink, &finding.to_string()));
            }
            out.line(&format!("{} finding(s) in {}", findings.len(), file.display()));
            if findings.iter().any(|f| f.severity == Severity::Block) {
                return Err(Failure::new("this text may not leave"));
            }
            Ok(())
        }
        BrandCommand::Explain { rule: None } => {
            let ids: Vec<&str> = release.rules.rule_ids().into_iter().collect();
            out.value(&ids)?;
            ids.iter().for_each(|id| out.line(id));
            Ok(())
        }
        BrandCommand::Explain { rule: Some(id) } => {
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
            Ok(())
        }
    }
}
