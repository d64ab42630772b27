//! `mailwright tokens create|list|revoke`: who may use the API.

use clap::{Args, Subcommand, ValueEnum};
use kit::{Role, Timestamp};

use super::out::Out;
use super::{Failure, Global, app, failure};
use crate::access::{self, Shown};
use crate::server::new_token;
use crate::store::ShopStore;

#[derive(Debug, Args)]
#[command(after_help = "Example: mailwright tokens create nora --role approver")]
pub(super) struct TokensArgs {
    #[command(subcommand)]
    command: TokensCommand,
}

/// The roles by their names.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum RoleName {
    /// May look.
    Viewer,
    /// May write and edit.
    Marketer,
    /// May approve what somebody else wrote.
    Approver,
    /// May change settings and stop sending.
    Admin,
}

#[derive(Debug, Subcommand)]
enum TokensCommand {
    /// Make a token; it is shown this once.
    #[command(after_help = "Example: mailwright tokens create nora --role approver")]
    Create {
        /// Whose: decisions are signed with this name.
        name: String,
        /// What it may do.
        #[arg(long, value_enum, default_value = "viewer")]
        role: RoleName,
    },
    /// Tokens, without their secrets.
    #[command(after_help = "Example: mailwright tokens list")]
    List,
    /// End a token; it does not come back.
    #[command(after_help = "Example: mailwright tokens revoke tok-3f2a91c04d7e")]
    Revoke {
        /// The token's id, as `list` shows it.
        id: String,
    },
}

pub(super) async fn run(global: &Global, args: TokensArgs, out: &Out) -> Result<(), Failure> {
    let (store, now) = app::open_store(global).await?;
    let done = async {
        match args.command {
            TokensCommand::Create { name, role } => {
                let role = match role {
                    RoleName::Viewer => Role::Viewer,
                    RoleName::Marketer => Role::Marketer,
                    RoleName::Approver => Role::Approver,
                    RoleName::Admin => Role::Admin,
                };
                let Some(kit::Principal::User { name, .. }) = kit::Principal::person(&name, role) else {
                    return Err(Failure::new("say whose token it is: a person\'s name"));
                };
                let keeper = keeper(&store, now).await?;
                let made = new_token(&store, &name, role, &keeper, now).await.map_err(failure)?;
                out.value(&serde_json::json!({ "token": made.token, "secret": made.secret }))?;
                out.line(&format!("{} for {name}; it is shown this once:", made.token.id));
                out.line(&made.secret);
                Ok(())
            }
            TokensCommand::List => {
                let tokens = store.tokens().await.map_err(failure)?;
                out.value(&tokens)?;
                let rows: Vec<Vec<String>> = tokens
                    .iter()
                    .map(|t| {
                        let until = t.revoked_at.map_or_else(String::new, |at| format!("revoked {at}"));
                        vec![t.id.clone(), t.name.clone(), format!("{:?}", t.role).to_lowercase(), until]
                    })
                    .collect();
                out.table(&["token", "whose", "role", ""], &rows);
                Ok(())
            }
            TokensCommand::Revoke { id } => {
                let keeper = keeper(&store, now).await?;
                if !store.revoke_token(&id, &keeper, now).await.map_err(failure)? {
                    return Err(Failure::new(format!(
                        "there is no token {id} that counts; see `mailwright tokens list`"
                    )));
                }
                out.value(&serde_json::json!({ "revoked": id }))?;
                out.line(&format!("{id} counts no more"));
                Ok(())
            }
        }
    }
    .await;
    store.store().clone().close().await;
    done
}

/// Who makes and ends tokens, by name for the audit trail.
async fn keeper(store: &ShopStore, now: Timestamp) -> Result<String, Failure> {
    let token = access::token_of_environment().map_err(failure)?;
    let shown = Shown { token: token.as_deref(), name: None };
    Ok(access::token_keeper(store, shown, now).await.map_err(failure)?.name())
}
