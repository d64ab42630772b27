//! `mailwright audit list|export|verify`: who did what, and that nobody has changed it since.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use kit::{Role, Timestamp};

use super::app;
use super::out::{Out, short};
use super::{Failure, Global, failure};
use crate::store::{AuditHead, ShopStore};

#[derive(Debug, Args)]
#[command(after_help = "Example: mailwright audit list")]
pub(super) struct AuditArgs {
    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Approvals, sends and kill switches, newest first.
    #[command(after_help = "Example: mailwright audit list --limit 20")]
    List {
        /// How many.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Write down where the trail ends: later it must still hold everything up to there. Keep the file elsewhere.
    #[command(after_help = "Example: mailwright audit export head-november.json")]
    Export {
        /// The file to write; one that is there is not overwritten.
        file: PathBuf,
    },
    /// Look for any row that was changed, removed or moved.
    #[command(after_help = "Example: mailwright audit verify --head head-november.json")]
    Verify {
        /// A head exported earlier: shows rows removed at the end, and a trail written anew.
        #[arg(long, value_name = "FILE")]
        head: Option<PathBuf>,
    },
}

pub(super) async fn run(global: &Global, args: AuditArgs, out: &Out) -> Result<(), Failure> {
    // The store alone: what was done can be looked at when a release, a product or a key is damaged.
    let (store, now) = app::open_store(global).await?;
    let done = match args.command {
        AuditCommand::List { limit } => list(&store, limit, out).await,
        AuditCommand::Export { file } => export(&store, &file, now, out).await,
        AuditCommand::Verify { head } => verify(&store, head.as_deref(), out).await,
    };
    store.store().clone().close().await;
    done
}

async fn export(store: &ShopStore, file: &Path, now: Timestamp, out: &Out) -> Result<(), Failure> {
    app::who(store, None, Role::Admin, "audit export", now).await?;
    let head = sound(store, None).await?;
    let say = |why: String| Failure::new(format!("{}: {why}", file.display()));
    let text = serde_json::to_string_pretty(&head).map_err(failure)?;
    let mut new = std::fs::File::create_new(file).map_err(|e| say(e.to_string()))?;
    std::io::Write::write_all(&mut new, text.as_bytes())
        .and_then(|()| new.sync_all())
        .map_err(|e| say(e.to_string()))?;
    out.line(&format!("{} holds the head of {} row(s): {}", file.display(), head.seq, short(&head.commitment, 16)));
    out.value(&head)
}

async fn verify(store: &ShopStore, head: Option<&Path>, out: &Out) -> Result<(), Failure> {
    let exported: Option<AuditHead> = match head {
        Some(file) => {
            let say = |why: String| Failure::new(format!("{}: {why}", file.display()));
            let text = std::fs::read(file).map_err(|e| say(e.to_string()))?;
            Some(serde_json::from_slice(&text).map_err(|e| say(format!("this is no exported head: {e}")))?)
        }
        None => None,
    };
    if let Some(exported) = exported.as_ref().filter(|head| head.shop != *store.id()) {
        return Err(Failure::new(format!("this head is of shop {}; say which shop with --shop", exported.shop)));
    }
    let found = sound(store, exported.as_ref()).await?;
    out.line(&format!("{} row(s), none changed, removed or moved", found.seq));
    if exported.is_none() {
        out.line("Rows removed at the end show only against a head: mailwright audit export FILE, kept elsewhere.");
    }
    out.value(&serde_json::json!({ "sound": true, "head": found, "compared_with": exported }))
}

async fn sound(store: &ShopStore, exported: Option<&AuditHead>) -> Result<AuditHead, Failure> {
    let verified = store.verify_audit(exported).await.map_err(failure)?;
    verified.map_err(|finding| Failure::new(format!("the audit trail of {} is not sound: {finding}", store.id())))
}

async fn list(store: &ShopStore, limit: u32, out: &Out) -> Result<(), Failure> {
    let trail = store.audit_trail(limit).await.map_err(failure)?;
    out.value(&trail)?;
    let rows: Vec<Vec<String>> = trail
        .iter()
        .map(|r| {
            vec![
                r.seq.to_string(),
                r.at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
                r.who.clone(),
                r.action.clone(),
                short(&r.subject, 24),
                short(&r.detail, 50),
            ]
        })
        .collect();
    out.table(&["no", "at (UTC)", "who", "what", "about", "detail"], &rows);
    Ok(())
}
