//! `mailwright offers wishes list|show|answer`: what models wished for beyond the ladder. A person decides; an answer grants
//! nothing by itself.

use clap::{Args, Subcommand, ValueEnum};
use kit::{Role, RunId};

use super::app;
use super::out::{Ink, Out, clean, short};
use super::{Failure, Global, failure};
use crate::store::{OfferWish, ShopStore, WishAnswer};

#[derive(Debug, Args)]
#[command(after_help = "Example: mailwright offers wishes list")]
pub(super) struct OffersArgs {
    #[command(subcommand)]
    command: OffersCommand,
}

#[derive(Debug, Subcommand)]
enum OffersCommand {
    /// Offers beyond the ladder that were wished for.
    #[command(after_help = "Example: mailwright offers wishes list", subcommand)]
    Wishes(WishesCommand),
}

#[derive(Debug, Subcommand)]
enum WishesCommand {
    /// Wishes that nobody has answered, newest first; with --all every one.
    #[command(after_help = "Example: mailwright offers wishes list")]
    List {
        /// Answered ones too.
        #[arg(long)]
        all: bool,
    },
    /// A wish with its run.
    #[command(after_help = "Example: mailwright offers wishes show run-3f2a91c04d7e ninety-percent")]
    Show {
        /// The run.
        run: RunId,
        /// The step that was wished for.
        step: String,
    },
    /// Answer a wish, once.
    #[command(
        after_help = "Example: mailwright offers wishes answer run-3f2a91c04d7e ninety-percent refuse --as mira --note \"below cost\""
    )]
    Answer {
        /// The run.
        run: RunId,
        /// The step that was wished for.
        step: String,
        /// What.
        #[arg(value_enum)]
        answer: AnswerName,
        /// Who you are.
        #[arg(long = "as", value_name = "NAME")]
        name: String,
        /// Why, or what will be changed.
        #[arg(long)]
        note: String,
    },
}

/// What somebody answers.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum AnswerName {
    /// There will be no such offer.
    Refuse,
    /// The ladder gets such a step; messages have it once that release is in force.
    Adopt,
}

pub(super) async fn run(global: &Global, args: OffersArgs, out: &Out) -> Result<(), Failure> {
    let (store, now) = app::open_store(global).await?;
    let OffersCommand::Wishes(command) = args.command;
    let done = match command {
        WishesCommand::List { all } => list(&store, all, out).await,
        WishesCommand::Show { run, step } => show(&store, &run, &step, out).await,
        WishesCommand::Answer { run, step, answer, name, note } => {
            let answer = match answer {
                AnswerName::Refuse => WishAnswer::Refused,
                AnswerName::Adopt => WishAnswer::Adopted,
            };
            self::answer(&store, &run, &step, answer, &name, &note, now, out).await
        }
    };
    store.store().clone().close().await;
    done
}

async fn list(store: &ShopStore, all: bool, out: &Out) -> Result<(), Failure> {
    let wishes = store.offer_wishes(1_000).await.map_err(failure)?;
    let wishes: Vec<OfferWish> = wishes.into_iter().filter(|wish| all || wish.answer.is_none()).collect();
    out.value(&wishes)?;
    if wishes.is_empty() {
        out.line("Nobody wished for an offer beyond the ladder.");
        return Ok(());
    }
    let state = |wish: &OfferWish| wish.answer.map_or("open", WishAnswer::as_str).to_owned();
    let rows: Vec<Vec<String>> = wishes
        .iter()
        .map(|w| vec![w.run.to_string(), short(&w.step, 32), short(&w.reason, 60), w.asked_at.to_string(), state(w)])
        .collect();
    out.table(&["run", "step", "why, in the model's words", "asked", "answer"], &rows);
    Ok(())
}

async fn find(store: &ShopStore, run: &RunId, step: &str) -> Result<OfferWish, Failure> {
    let found = store.offer_wish(run, step).await.map_err(failure)?;
    found.ok_or_else(|| {
        Failure::new(format!("{run} has no wish for `{}`; see `mailwright offers wishes list --all`", clean(step)))
    })
}

async fn show(store: &ShopStore, run: &RunId, step: &str, out: &Out) -> Result<(), Failure> {
    let wish = find(store, run, step).await?;
    let of = store.run(run).await.map_err(failure)?;
    let flow = of.as_ref().map_or_else(String::new, |run| run.flow.to_string());
    out.value(&serde_json::json!({ "wish": wish, "flow": flow, "run": of.as_ref().map(|run| run.state.as_str()) }))?;
    out.line(&format!("{} {} in {run} of {flow}", out.ink(Ink::Bold, "wish"), clean(&wish.step)));
    out.line(&format!("  asked      {}", wish.asked_at));
    out.line(&format!("  why        {}", clean(&wish.reason)));
    out.line("  the message went on without it");
    match (wish.answer, &wish.answered_by, &wish.note) {
        (Some(answer), Some(by), Some(note)) => {
            out.line(&format!("  answer     {} by {by}: {}", answer.as_str(), clean(note)));
        }
        _ => out.line(&format!(
            "  answer it: mailwright offers wishes answer {run} STEP refuse|adopt --as NAME --note WHY"
        )),
    }
    Ok(())
}

#[allow(clippy::too_many_arguments, reason = "each is a word of the command line")]
async fn answer(
    store: &ShopStore,
    run: &RunId,
    step: &str,
    answer: WishAnswer,
    name: &str,
    note: &str,
    now: kit::Timestamp,
    out: &Out,
) -> Result<(), Failure> {
    let who = app::who(store, Some(name), Role::Approver, "offers wishes answer", now).await?;
    let wish = find(store, run, step).await?;
    if !store.answer_wish(run, step, answer, &who, app::reason(note)?, now).await.map_err(failure)? {
        let by = wish.answered_by.unwrap_or_default();
        return Err(Failure::new(format!("the wish of {run} for `{}` was answered already by {by}", clean(step))));
    }
    out.value(&find(store, run, step).await?)?;
    out.line(&format!("{} {} by {name}", out.ink(Ink::Good, answer.as_str()), clean(step)));
    if answer == WishAnswer::Adopted {
        out.line(
            "  this grants nothing: add the step to knowledge/offers/ladder.toml, then `mailwright release apply`",
        );
    }
    Ok(())
}
