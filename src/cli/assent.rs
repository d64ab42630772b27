//! What somebody says yes to on the command line: what they saw, and how many people get it.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use kit::ApprovalId;
use kit::message::ApprovalState;

use super::app::App;
use super::approval_view::show;
use super::out::Out;
use super::{Failure, failure, looks};
use crate::approvals::{Asked, Assent, Looked, Seen};

/// Shows a request, and notes that it was shown.
pub(super) async fn present(app: &App, looked: &Looked, out: &Out) -> Result<(), Failure> {
    match &looked.asked {
        Asked::Message(approval) => show(app, approval, looked, out).await?,
        Asked::Campaign(approval) => {
            let view = app.tenant.view_campaign(approval).await.map_err(failure)?;
            super::campaigns::view(approval, &view, looked, out)?;
        }
    }
    looks::note(app.store.dir(), &looked.asked.record().id, &looked.seen)
}

/// What somebody says yes to: what they name, what was shown last, or, on a terminal, what is shown now and asked about.
pub(super) async fn assent(
    app: &App,
    id: &ApprovalId,
    named: Option<Seen>,
    count: Option<u32>,
    out: &Out,
) -> Result<Assent, Failure> {
    let looked = app.tenant.look(id).await.map_err(failure)?;
    let known = match named {
        Some(seen) => Some(seen),
        None => looks::last(app.store.dir(), id)?,
    };
    let asks = std::io::stdin().is_terminal() && !out.is_json();
    let decided = looked.asked.record().state != ApprovalState::Pending;
    let seen = match known {
        Some(seen) => seen,
        // There is nothing to look at any more: it is refused with the reason.
        None if decided => looked.seen.clone(),
        None if asks => {
            present(app, &looked, out).await?;
            if !matches!(answer("Approve this? [y/N] ")?.as_str(), "y" | "yes") {
                return Err(Failure::new("nothing was decided"));
            }
            looked.seen.clone()
        }
        None => {
            let tag = "or name what you saw with --seen";
            return Err(Failure::new(format!("look at it first: mailwright approvals show {id}; {tag}")));
        }
    };
    let typed_count = match (count, looked.route.typed_count) {
        (None, Some(recipients)) if asks && !decided => {
            let typed = answer(&format!("It goes to {recipients} people. Type how many: "))?;
            Some(typed.parse().map_err(|_| Failure::new(format!("`{typed}` is no number; nothing was decided")))?)
        }
        (count, _) => count,
    };
    Ok(Assent { seen, typed_count })
}

/// One line from the terminal.
fn answer(question: &str) -> Result<String, Failure> {
    let mut out = std::io::stdout().lock();
    write!(out, "{question}").and_then(|()| out.flush()).map_err(failure)?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(failure)?;
    Ok(line.trim().to_lowercase())
}
