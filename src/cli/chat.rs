//! `mailwright chat`: brief a campaign in the terminal.
//!
//! Plain lines in, so that a script can drive it as well as a person. Lines that begin with a slash are commands; everything
//! else is said to the model.

mod card;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{Args, Subcommand};
use kit::{BriefId, Principal, Role};
use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin};

use super::app::App;
use super::campaigns;
use super::out::{Ink, Out, clean, short};
use super::{Failure, Global, failure};
use crate::briefs::{Chat, ChatError, ChatEvent, View, Watcher};

const COMMANDS: &str = "/show the brief · /diff what changed last · /undo · /flip N an assumption · /takeback N a constraint · /choose N of several briefs · /stop the turn · /write the messages · /quit";

#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Example: mailwright chat \"back to school, backpacks, 10 % for lapsed, nothing for VIP, Thursday\""
)]
pub(super) struct ChatArgs {
    #[command(subcommand)]
    command: Option<ChatCommand>,
    /// What to say first.
    brief: Option<String>,
    /// Go on with this brief.
    #[arg(long, value_name = "ID")]
    resume: Option<BriefId>,
    /// Who you are; the brief is yours.
    #[arg(long = "as", value_name = "NAME", default_value = "marketer")]
    name: String,
}

#[derive(Debug, Subcommand)]
enum ChatCommand {
    /// Briefs, newest first.
    #[command(after_help = "Example: mailwright chat list")]
    List,
    /// A brief as it stands, or one of its versions.
    #[command(after_help = "Example: mailwright chat show brief-3f2a91c04d7e")]
    Show {
        /// The brief.
        id: BriefId,
        /// The version; the newest when none is named.
        #[arg(long, value_name = "N")]
        version: Option<u32>,
    },
}

pub(super) async fn run(global: &Global, args: ChatArgs, out: &Out) -> Result<(), Failure> {
    let app = App::open(global, out).await?;
    let done = perform(&app, args, *out).await;
    app.close().await;
    done
}

async fn perform(app: &App, args: ChatArgs, out: Out) -> Result<(), Failure> {
    let streamed = Arc::new(AtomicBool::new(false));
    let seen = streamed.clone();
    let watcher = Watcher::new(move |event| print(out, &event, &seen));
    let chat = Chat::new(app.tenant.clone(), watcher.clone());
    match args.command {
        Some(ChatCommand::List) => return list(&chat, out).await,
        Some(ChatCommand::Show { id, version }) => return show(app, &chat, &id, version, out).await,
        None => {}
    }
    let owner = app.who(&args.name, Role::Marketer, "chat").await?;
    Session { app, chat: &chat, watcher, out, owner, streamed }.run(args.resume, args.brief).await
}

async fn list(chat: &Chat, out: Out) -> Result<(), Failure> {
    let briefs = chat.list(200).await.map_err(failure)?;
    let ready = |b: &crate::store::BriefRow| b.latest.version > 0 && b.latest.brief.is_ready();
    let json: Vec<_> = briefs
        .iter()
        .map(|b| serde_json::json!({ "brief": b.id, "title": b.latest.brief.title, "owner": b.owner, "version": b.latest.version, "ready": ready(b), "created_at": b.created_at }))
        .collect();
    out.value(&json)?;
    let rows: Vec<Vec<String>> = briefs
        .iter()
        .map(|b| {
            let title = b.latest.brief.title.clone().unwrap_or_else(|| "-".to_owned());
            let state = if ready(b) { "ready" } else { "open" };
            vec![b.id.to_string(), short(&title, 40), b.owner.clone(), b.latest.version.to_string(), state.to_owned()]
        })
        .collect();
    out.table(&["brief", "title", "owner", "version", "state"], &rows);
    Ok(())
}

async fn show(app: &App, chat: &Chat, id: &BriefId, version: Option<u32>, out: Out) -> Result<(), Failure> {
    let Some(number) = version else {
        let view = chat.view(id).await.map_err(failure)?;
        out.value(&card::json(&view))?;
        card::print(out, &view);
        return Ok(());
    };
    let found = app.tenant.store.brief(id, Some(number)).await.map_err(failure)?;
    let found = found.ok_or_else(|| Failure::new(format!("brief {id} has no version {number}")))?;
    out.value(&serde_json::json!({ "brief": id, "version": number, "digest": found.digest, "made_by": found.made_by, "at": found.at, "body": found.brief }))?;
    out.line(&format!("{} version {number}, by the {} in turn {}", id, found.made_by, found.turn));
    for line in kit::campaign::words::restate(&found.brief).lines() {
        out.line(&format!("  {}", clean(line)));
    }
    Ok(())
}

/// What happens in a turn, as it happens.
fn print(out: Out, event: &ChatEvent, streamed: &AtomicBool) {
    match event {
        ChatEvent::Delta { text } => {
            streamed.store(true, Ordering::Relaxed);
            out.piece(&out.ink(Ink::Name, &text.chars().filter(|c| *c == '\n' || !c.is_control()).collect::<String>()));
        }
        ChatEvent::Answer { .. } if streamed.load(Ordering::Relaxed) => out.line(""),
        ChatEvent::Answer { .. } => {}
        ChatEvent::Tool { name, refused: false, .. } => out.line(&out.ink(Ink::Dim, &format!("  · {name}"))),
        ChatEvent::Tool { name, refused: true, why } => {
            let why = short(why.as_deref().unwrap_or(""), 140);
            out.line(&out.ink(Ink::Dim, &format!("  · {name} refused: {why}")));
        }
        ChatEvent::Brief { version, changes, .. } => {
            out.line(&out.ink(Ink::Good, &format!("  ✓ the brief is at version {version}")));
            for change in changes {
                out.line(&out.ink(Ink::Good, &format!("    {}", short(change, 200))));
            }
        }
        ChatEvent::Question { .. } | ChatEvent::Choices { .. } => {}
        ChatEvent::Model { text } => out.line(&out.ink(Ink::Warn, &format!("  model: {}", short(text, 140)))),
    }
}

/// A conversation at the terminal.
struct Session<'a> {
    app: &'a App,
    chat: &'a Chat,
    watcher: Arc<Watcher>,
    out: Out,
    owner: Principal,
    /// The answer of the turn was printed as it came.
    streamed: Arc<AtomicBool>,
}

/// What a line led to.
enum Went {
    On(Box<View>),
    Same,
    Quit,
}

impl Session<'_> {
    async fn run(&self, resume: Option<BriefId>, first: Option<String>) -> Result<(), Failure> {
        let mut view = match resume {
            Some(id) => self.chat.resume(&id).await.map_err(failure)?,
            None => self.chat.start(&self.owner).await.map_err(failure)?,
        };
        self.watcher.knows(&view.brief);
        let out = self.out;
        out.line(&format!("{} {}", out.ink(Ink::Bold, "brief"), view.id));
        out.line(&out.ink(Ink::Dim, COMMANDS));
        if view.turn > 0 {
            card::print(out, &view);
        }
        let mut lines = BufReader::new(tokio::io::stdin()).lines();
        if let Some(words) = first {
            view = self.turn(&view, &words, &mut lines).await?;
        }
        while let Some(line) = lines.next_line().await.map_err(failure)? {
            match self.line(&view, line.trim(), &mut lines).await {
                Ok(Went::On(next)) => view = *next,
                Ok(Went::Same) => {}
                Ok(Went::Quit) => break,
                Err(failure) => out.error(&failure.to_string()),
            }
        }
        out.value(&card::json(&view))?;
        out.line(&out.ink(Ink::Dim, &format!("Kept. Go on with: mailwright chat --resume {}", view.id)));
        Ok(())
    }

    async fn line(&self, view: &View, line: &str, lines: &mut Lines<BufReader<Stdin>>) -> Result<Went, Failure> {
        let id = &view.id;
        let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
        let number = || {
            rest.trim()
                .trim_start_matches(['A', 'C', 'a', 'c'])
                .parse::<u32>()
                .map_err(|_| Failure::new(format!("say which: {command} 2")))
        };
        let edited = |done: Result<View, ChatError>| {
            let view = done.map_err(failure)?;
            card::print(self.out, &view);
            Ok(Went::On(Box::new(view)))
        };
        match command {
            "" => Ok(Went::Same),
            "/quit" | "/exit" => Ok(Went::Quit),
            "/show" => edited(self.chat.view(id).await),
            "/diff" => {
                self.diff(view);
                Ok(Went::Same)
            }
            "/undo" => edited(self.chat.undo(id).await),
            "/stop" => edited(self.chat.stop(id).await),
            "/flip" => edited(self.chat.flip(id, number()?).await),
            "/takeback" => edited(self.chat.take_back(id, number()?).await),
            "/choose" => edited(self.chat.choose(id, number()? as usize).await),
            "/write" => {
                let ready = self.chat.ready(id).await.map_err(failure)?;
                self.out.line(&self.out.ink(
                    Ink::Good,
                    &format!("The brief is ready: version {}, digest {}.", ready.brief.version, ready.digest.short()),
                ));
                let (app, out) = (self.app, &self.out);
                let (campaign, _) = campaigns::freeze(app, id.as_str(), &ready.brief, &self.owner, out).await?;
                out.line("Write them? [y/N]");
                let answer = lines.next_line().await.map_err(failure)?.unwrap_or_default();
                if matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
                    campaigns::spend(app, &campaign, &self.owner, out).await?;
                } else {
                    out.line(&format!(
                        "Nothing was spent. Later: mailwright campaigns write {id} --as {}",
                        self.owner.name().trim_start_matches("user:")
                    ));
                }
                Ok(Went::Same)
            }
            "/help" => {
                self.out.line(&self.out.ink(Ink::Dim, COMMANDS));
                Ok(Went::Same)
            }
            _ if command.starts_with('/') => Err(Failure::new(format!("there is no command {command}; {COMMANDS}"))),
            _ => Ok(Went::On(Box::new(self.turn(view, line, lines).await?))),
        }
    }

    /// One turn. While the model works, `/stop` stops it; other lines wait for its end.
    async fn turn(&self, view: &View, words: &str, lines: &mut Lines<BufReader<Stdin>>) -> Result<View, Failure> {
        let interactive = std::io::IsTerminal::is_terminal(&std::io::stdin());
        let before = view.brief.version;
        self.streamed.store(false, Ordering::Relaxed);
        let said = self.chat.say(&view.id, words);
        let mut said = std::pin::pin!(said);
        let view = loop {
            if !interactive {
                // A script's next line belongs to the next turn.
                break said.await.map_err(failure)?;
            }
            tokio::select! {
                done = &mut said => break done.map_err(failure)?,
                line = lines.next_line() => match line.map_err(failure)? {
                    Some(line) if line.trim() == "/stop" => {
                        self.chat.stop(&view.id).await.map_err(failure)?;
                    }
                    Some(_) => self.out.note("a turn is under way; /stop stops it"),
                    None => break said.await.map_err(failure)?,
                },
            }
        };
        self.answer(&view);
        if before == view.brief.version && view.choices.is_empty() {
            card::print_unchanged(self.out, &view);
        } else {
            card::print(self.out, &view);
        }
        Ok(view)
    }

    fn answer(&self, view: &View) {
        use agent::TurnEnd;
        let out = self.out;
        match (&view.ended, &view.answer) {
            (TurnEnd::Failed { reason }, _) => {
                out.line(&out.ink(Ink::Bad, &format!("no answer: {}", short(&reason.text, 160))));
            }
            (TurnEnd::Stopped, _) => out.line(&out.ink(Ink::Warn, "stopped")),
            (TurnEnd::Answered, Some(_)) if self.streamed.load(Ordering::Relaxed) => {}
            (TurnEnd::Begun | TurnEnd::Answered | TurnEnd::Asked | TurnEnd::Offered, Some(answer)) => {
                let ink = if view.ended == TurnEnd::Asked { Ink::Warn } else { Ink::Name };
                answer.lines().for_each(|line| out.line(&out.ink(ink, &clean(line))));
            }
            (TurnEnd::Begun | TurnEnd::Answered | TurnEnd::Asked | TurnEnd::Offered, None) => {}
        }
    }

    fn diff(&self, view: &View) {
        let changes = view.last_changes();
        for change in &changes {
            self.out.line(&format!("  {}", clean(&change.words())));
        }
        if changes.is_empty() {
            self.out.line("  nothing has changed yet");
        }
    }
}
