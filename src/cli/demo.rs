//! `mailwright demo`: from an empty folder to approved, rendered mail, without a key or a service.
//!
//! Nothing here is staged: the webhooks go through intake, the runs through the agent, the messages through clearance and
//! ledger. Only the clock is set, so that the sample shop's stories hold on any day.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use agent::Outcome;
use clap::Args;
use kit::message::{DedupeKey, Hold, SendState};
use kit::{ApprovalId, Role};
use shop::{Delivery, Source};

use super::app::App;
use super::assent::present;
use super::out::{Ink, Out};
use super::trace::{Trace, ending};
use super::{Failure, Global, failure};
use crate::approvals::Assent;
use crate::clock::SetClock;
use crate::runs::Rest;
use crate::sample::SAMPLE_NOW;
use crate::sample_shop;

/// Marks a folder as one that the demo made and may make anew.
const MARKER: &str = ".mailwright-demo";

#[derive(Debug, Args)]
#[command(after_help = "Example: mailwright demo --yes")]
pub(super) struct DemoArgs {
    /// Take every decision as the story suggests, without asking.
    #[arg(long)]
    yes: bool,
}

/// What the person in the story does.
#[derive(Clone, Copy)]
enum Decide {
    Approve,
    Reject(&'static str),
    /// A ticket is opened between the draft and the approval.
    ApproveAfterTicket,
}

struct Scene {
    title: &'static str,
    source: Source,
    topic: &'static str,
    webhook: &'static str,
    decide: Decide,
}

const SCENES: [Scene; 5] = [
    Scene {
        title: "A checkout is left. The mail needs a person, because this flow is new.",
        source: Source::Shopify,
        topic: "checkouts/update",
        webhook: "shopify-checkouts-update-ada",
        decide: Decide::Approve,
    },
    Scene {
        title: "A VIP leaves a checkout. You look at it, and reject it.",
        source: Source::Shopify,
        topic: "checkouts/update",
        webhook: "shopify-checkouts-update-vip",
        decide: Decide::Reject("She is on the phone with us about this order"),
    },
    Scene {
        title: "An order has arrived. You approve the care mail, but a support ticket came in meanwhile.",
        source: Source::Shopify,
        topic: "orders/fulfilled",
        webhook: "shopify-orders-fulfilled-jonas",
        decide: Decide::ApproveAfterTicket,
    },
    Scene {
        title: "An order is cancelled because we had no stock: win-back.",
        source: Source::Shopify,
        topic: "orders/cancelled",
        webhook: "shopify-orders-cancelled-lapsed",
        decide: Decide::Approve,
    },
    Scene {
        title: "Somebody who took back consent fills a cart. No model is even asked.",
        source: Source::Generic,
        topic: "cart.updated",
        webhook: "generic-cart-updated-optout",
        decide: Decide::Approve,
    },
];

#[derive(Debug, serde::Serialize)]
struct SceneReport {
    scene: &'static str,
    run: Option<String>,
    ending: String,
    eml: Option<PathBuf>,
    preview: Option<PathBuf>,
}

pub(super) async fn run(global: &Global, args: DemoArgs, out: &Out) -> Result<(), Failure> {
    let began = Instant::now();
    let dir = global.data.clone().unwrap_or_else(|| PathBuf::from("mailwright-demo"));
    fresh(&dir)?;
    let global = Global { data: Some(dir.clone()), ..global.clone() };
    let clock = Arc::new(SetClock::at(SAMPLE_NOW));
    out.line(&out.ink(Ink::Bold, "Mailwright demo – the model proposes, code disposes"));
    out.line(&format!("Folder {}; the sample shop's clock stands at {SAMPLE_NOW}.", dir.display()));
    let app = App::with_clock(&global, out, clock.clone()).await?;
    out.line(&format!(
        "Tarn & Trail: {} products, {} graph edges, model: {}.",
        app.tenant.catalog.len(),
        app.tenant.learned.graph().await.map_err(failure)?.edges(),
        app.tenant.model()
    ));
    let answers = (!args.yes && std::io::stdin().is_terminal() && !out.is_json()).then(Answers::listen);
    let mut reports = Vec::new();
    for (i, scene) in SCENES.iter().enumerate() {
        out.line(&format!("\n{}", out.ink(Ink::Bold, &format!("{}. {}", i + 1, scene.title))));
        clock.set(SAMPLE_NOW);
        reports.push(play(&app, &clock, scene, args.yes, answers.as_ref(), out).await?);
    }
    out.value(&reports)?;
    out.line(&format!("\n{} in {:.1} s. Look around:", out.ink(Ink::Good, "Done"), began.elapsed().as_secs_f64()));
    let again = again(&app);
    for command in ["approvals list", "runs list", "sends list", "profile show C-ADA"] {
        out.line(&format!("  mailwright {command} {again}"));
    }
    app.close().await;
    Ok(())
}

/// An empty folder, or one that an earlier demo made: that one is made anew.
fn fresh(dir: &Path) -> Result<(), Failure> {
    let say =
        |e: std::io::Error| Failure::new(format!("{}: {e}; choose another folder with --data DIR", dir.display()));
    if dir.join(MARKER).exists() {
        std::fs::remove_dir_all(dir).map_err(say)?;
    }
    if dir.exists() && std::fs::read_dir(dir).map_err(say)?.next().is_some() {
        return Err(Failure::new(format!(
            "{} is not empty and no demo folder; choose another with --data DIR",
            dir.display()
        )));
    }
    std::fs::create_dir_all(dir).map_err(say)?;
    std::fs::write(dir.join(MARKER), "made by `mailwright demo`; the next demo makes this folder anew\n").map_err(say)
}

/// What a command needs to meet the shop of this demo, at its time.
fn again(app: &App) -> String {
    format!("--data {} --at {SAMPLE_NOW}", app.store.dir().display())
}

async fn play(
    app: &App,
    clock: &SetClock,
    scene: &Scene,
    yes: bool,
    answers: Option<&Answers>,
    out: &Out,
) -> Result<SceneReport, Failure> {
    use crate::clock::Clock as _;
    let body = sample_shop::webhook(scene.webhook)
        .ok_or_else(|| Failure::new(format!("the sample webhook {} is missing", scene.webhook)))?;
    let delivery = Delivery {
        source: scene.source,
        topic: scene.topic,
        body: body.as_bytes(),
        event_id: None,
        triggered_at: Some(clock.now()),
        received_at: clock.now(),
    };
    let intake = app.tenant.take_in(&delivery).await.map_err(failure)?;
    out.line(&format!("  {} {} {}", out.ink(Ink::Name, "event    "), scene.source, scene.topic));
    for skipped in &intake.skipped {
        out.line(&format!("  {} {}", skipped.flow, skipped.reason));
    }
    let Some(admitted) = intake.runs.first() else {
        return Ok(SceneReport {
            scene: scene.title,
            run: None,
            ending: "no run".to_owned(),
            eml: None,
            preview: None,
        });
    };
    out.line(&format!(
        "  {} {} of flow {}, due {} (the clock is set ahead)",
        out.ink(Ink::Name, "run      "),
        admitted.run,
        admitted.flow,
        admitted.due
    ));
    clock.set(admitted.due.max(clock.now()));
    let driver = app.tenant.driver(Arc::new(Trace::new(*out)));
    let mut rest = driver.drive(&admitted.run).await.map_err(failure)?;
    if let Rest::Approval { approval, .. } = &rest
        && decide(app, approval, scene.decide, yes, answers, out).await?
    {
        rest = driver.drive(&admitted.run).await.map_err(failure)?;
        if let Rest::Held { hold: Hold::Recallable { until }, .. } = &rest {
            out.line(&format!("  it could be recalled until {until} (the clock is set ahead)"));
            clock.set(*until);
            rest = driver.drive(&admitted.run).await.map_err(failure)?;
        }
    }
    out.line(&format!("  {} {}", out.ink(Ink::Bold, "ending   "), ending(*out, &rest)));
    let (eml, preview) = match &rest {
        Rest::Done(Outcome::Delivered { state: SendState::Sent { .. } }) => show_mail(app, &admitted.run, out).await?,
        _ => (None, None),
    };
    Ok(SceneReport {
        scene: scene.title,
        run: Some(admitted.run.to_string()),
        ending: ending(Out::new(true), &rest),
        eml,
        preview,
    })
}

/// True when a decision was taken.
async fn decide(
    app: &App,
    id: &ApprovalId,
    story: Decide,
    yes: bool,
    answers: Option<&Answers>,
    out: &Out,
) -> Result<bool, Failure> {
    if let Decide::ApproveAfterTicket = story {
        let ticket = br#"{"event":"ticket.opened","triggered_at":"2026-11-17T10:00:00Z","payload":{"ticket_id":"T-DEMO","customer":{"id":"C-JONAS"},"subject":"pole tip missing"}}"#;
        let delivery = Delivery {
            source: Source::Generic,
            topic: "ticket.opened",
            body: ticket,
            event_id: None,
            triggered_at: None,
            received_at: app.tenant.clock.now(),
        };
        app.tenant.take_in(&delivery).await.map_err(failure)?;
        out.line(&format!(
            "  {} generic ticket.opened: the same customer asks for help",
            out.ink(Ink::Name, "event    ")
        ));
    }
    let you = app.who("you", Role::Approver, "demo").await?;
    let answer = if yes { None } else { ask(app, id, answers, out).await? };
    let approve = match (yes, answer.as_deref()) {
        (true, _) => !matches!(story, Decide::Reject(_)),
        (false, Some("a")) => true,
        (false, Some("r")) => false,
        (false, _) => {
            let again = again(app);
            out.line(&format!("  left waiting; decide later: mailwright approvals approve {id} --as NAME {again}"));
            return Ok(false);
        }
    };
    if approve {
        let seen = app.tenant.look(id).await.map_err(failure)?.seen;
        app.tenant.approve(id, &you, &Assent { seen, typed_count: None }).await.map_err(failure)?;
    } else {
        let reason = if let Decide::Reject(reason) = story { reason } else { "rejected in the demo" };
        app.tenant.reject(id, &you, reason, false, None).await.map_err(failure)?;
    }
    Ok(true)
}

/// What is typed on the terminal, line by line.
struct Answers(std::sync::mpsc::Receiver<String>);

impl Answers {
    /// Reads from now on, so that what was typed ahead of a question can be told from its answer.
    fn listen() -> Self {
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in std::io::stdin().lock().lines().map_while(Result::ok) {
                if tell.send(line).is_err() {
                    break;
                }
            }
        });
        Self(told)
    }

    /// The answer to this question; `None` when nothing can be typed any more.
    fn to(&self, question: &str) -> Option<String> {
        while self.0.try_recv().is_ok() {}
        let mut out = std::io::stdout().lock();
        let _ = write!(out, "{question}").and_then(|()| out.flush());
        self.0.recv().ok().map(|line| line.trim().to_lowercase())
    }
}

async fn ask(app: &App, id: &ApprovalId, answers: Option<&Answers>, out: &Out) -> Result<Option<String>, Failure> {
    let Some(answers) = answers else {
        out.note("  standard input is no terminal: nothing is decided (use --yes to follow the story)");
        return Ok(None);
    };
    while let Some(answer) = answers.to("  Approve this message? [a]pprove, [r]eject, [s]how, [l]ater: ") {
        match answer.as_str() {
            "s" | "show" => {
                let looked = app.tenant.look(id).await.map_err(failure)?;
                present(app, &looked, out).await?;
            }
            "a" | "approve" | "y" | "yes" => return Ok(Some("a".to_owned())),
            "r" | "reject" | "n" | "no" => return Ok(Some("r".to_owned())),
            "l" | "later" => return Ok(None),
            _ => out.line("  please answer a, r, s or l"),
        }
    }
    Ok(None)
}

/// Where the mail lies, and a page to look at it.
async fn show_mail(app: &App, run: &kit::RunId, out: &Out) -> Result<(Option<PathBuf>, Option<PathBuf>), Failure> {
    let sends = app.tenant.store.sends(50).await.map_err(failure)?;
    let Some(send) = sends.iter().find(|s| s.run == *run) else { return Ok((None, None)) };
    let key: DedupeKey = send.key.parse().map_err(failure)?;
    let Some(row) = app.tenant.store.sent_message(key).await.map_err(failure)? else { return Ok((None, None)) };
    let eml = app.outbox.find(key).map_err(failure)?;
    let previews = app.store.dir().join("previews");
    let preview = previews.join(format!("{run}.html"));
    let html = row.message.mail().map_or("", |mail| mail.html.as_str());
    std::fs::create_dir_all(&previews).and_then(|()| std::fs::write(&preview, html)).map_err(failure)?;
    let full = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()).display().to_string();
    if let Some(eml) = &eml {
        out.line(&format!("  {} {}", out.ink(Ink::Name, "eml      "), full(eml)));
    }
    out.line(&format!("  {} file://{}", out.ink(Ink::Name, "preview  "), full(&preview)));
    let run = app.tenant.store.journal(run).await.map_err(failure)?;
    let inputs = run.iter().filter_map(|r| serde_json::from_str::<agent::Input>(&r.body).ok());
    let usages: Vec<agent::Usage> = inputs
        .filter_map(|input| if let agent::Input::Model { reply, .. } = input { Some(reply.usage) } else { None })
        .collect();
    let unknown =
        if usages.iter().any(|usage| usage.unpriced) { " and more, at a price that is not known" } else { "" };
    let cost = crate::spend::dollars(usages.iter().map(|usage| usage.cost_micros).sum());
    out.line(&format!("  {} {cost} for the model{unknown}", out.ink(Ink::Name, "cost     ")));
    Ok((eml, Some(preview)))
}
