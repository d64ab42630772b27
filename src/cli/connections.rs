//! `mailwright connections add|list|remove`: which shop systems may send webhooks.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use kit::Role;
use shop::Source;

use super::out::Out;
use super::{Failure, Global, app, failure};
use crate::server::Secrets;
use crate::store::Connection;

#[derive(Debug, Args)]
#[command(
    after_help = "Example: mailwright connections add shopify main --domain my-shop.myshopify.com --secret-file secret.txt"
)]
pub(super) struct ConnectionsArgs {
    #[command(subcommand)]
    command: ConnectionsCommand,
}

#[derive(Debug, Subcommand)]
enum ConnectionsCommand {
    /// Add a shop system. Its webhooks go to /webhooks/SOURCE/NAME.
    #[command(after_help = "Example: mailwright connections add woocommerce shop --secret-env WC_SECRET")]
    Add {
        /// shopify, bigcommerce, woocommerce, adobe, standard or generic.
        source: String,
        /// Its name in the address: letters, digits and dashes.
        name: String,
        /// The shop's domain on the platform (BigCommerce: the store hash). What is about another shop is refused.
        #[arg(long, default_value = "")]
        domain: String,
        /// The environment variable that holds the secret while the server runs.
        #[arg(long, value_name = "NAME", conflicts_with = "secret_file")]
        secret_env: Option<String>,
        /// A file with the secret (one a line; Adobe Commerce: the public key as PEM). It is copied into the data folder.
        #[arg(long, value_name = "FILE")]
        secret_file: Option<PathBuf>,
        /// BigCommerce: where the shop's API answers, when that is not api.bigcommerce.com.
        #[arg(long, value_name = "URL")]
        api_base: Option<String>,
        /// BigCommerce: the environment variable that holds the API's token. Its webhooks carry ids only; with a token the
        /// rest is fetched.
        #[arg(long, value_name = "NAME", conflicts_with = "api_token_file")]
        api_token_env: Option<String>,
        /// BigCommerce: a file with the API's token. It is copied into the data folder.
        #[arg(long, value_name = "FILE")]
        api_token_file: Option<PathBuf>,
    },
    /// Connections, without their secrets.
    #[command(after_help = "Example: mailwright connections list")]
    List,
    /// Remove a shop system; its webhooks are refused from now on.
    #[command(after_help = "Example: mailwright connections remove main")]
    Remove {
        /// Its name.
        name: String,
    },
}

pub(super) async fn run(global: &Global, args: ConnectionsArgs, out: &Out) -> Result<(), Failure> {
    let (store, now) = app::open_store(global).await?;
    let secrets = Secrets::of(store.store().dir());
    let done = async {
        match args.command {
            ConnectionsCommand::Add {
                source,
                name,
                domain,
                secret_env,
                secret_file,
                api_base,
                api_token_env,
                api_token_file,
            } => {
                let source: Source = source.parse().map_err(failure)?;
                let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
                if name.is_empty() || name.len() > 40 || !name.chars().all(plain) {
                    return Err(Failure::new("a connection's name has 1 to 40 of a-z, 0-9 and -"));
                }
                if store.connections().await.map_err(failure)?.iter().any(|known| known.id == name) {
                    return Err(Failure::new(format!("there is a connection `{name}` already; remove it first")));
                }
                let fetches = api_base.is_some() || api_token_env.is_some() || api_token_file.is_some();
                if fetches && source != Source::BigCommerce {
                    return Err(Failure::new(format!("{source} sends whole bodies: nothing is asked of its API")));
                }
                if let Some(base) = &api_base {
                    crate::egress::Egress::to(base, crate::egress::Reach::Public).map_err(failure)?;
                }
                if source == Source::BigCommerce && domain.is_empty() && api_base.is_none() {
                    return Err(Failure::new("say which store: --domain STORE_HASH"));
                }
                if let Some(file) = api_token_file {
                    let token =
                        std::fs::read_to_string(&file).map_err(|e| Failure::new(format!("{}: {e}", file.display())))?;
                    secrets.keep_api_token(store.id(), &name, &token).map_err(failure)?;
                }
                let mut shown = None;
                match (&secret_env, secret_file) {
                    (Some(_), _) => {}
                    (None, Some(file)) => {
                        let secret = std::fs::read_to_string(&file)
                            .map_err(|e| Failure::new(format!("{}: {e}", file.display())))?;
                        secrets.keep(store.id(), &name, source, &secret).map_err(failure)?;
                    }
                    (None, None) => {
                        let secret = made(source)?;
                        secrets.keep(store.id(), &name, source, &secret).map_err(failure)?;
                        shown = Some(secret);
                    }
                }
                let new = Connection {
                    id: name.clone(),
                    source: source.as_str().to_owned(),
                    domain,
                    secret_env,
                    api_base,
                    api_token_env,
                    created_at: now,
                };
                let who = app::who(&store, None, Role::Admin, "connections add", now).await?;
                store.add_connection(new, &who.name()).await.map_err(failure)?;
                let path = format!("/webhooks/{source}/{name}");
                out.value(&serde_json::json!({ "connection": name, "path": path, "secret": shown }))?;
                out.line(&format!("Send webhooks to {path}"));
                if let Some(secret) = shown {
                    out.line("Their secret, shown this once:");
                    out.line(&secret);
                }
                Ok(())
            }
            ConnectionsCommand::List => {
                let connections = store.connections().await.map_err(failure)?;
                out.value(&connections)?;
                let rows: Vec<Vec<String>> = connections
                    .iter()
                    .map(|c| {
                        let secret = c.secret_env.as_ref().map_or_else(|| "kept".to_owned(), |name| format!("${name}"));
                        vec![c.id.clone(), c.source.clone(), c.domain.clone(), secret]
                    })
                    .collect();
                out.table(&["connection", "source", "shop", "secret"], &rows);
                Ok(())
            }
            ConnectionsCommand::Remove { name } => {
                let who = app::who(&store, None, Role::Admin, "connections remove", now).await?;
                if !store.remove_connection(&name, &who.name(), now).await.map_err(failure)? {
                    return Err(Failure::new(format!(
                        "there is no connection `{name}`; see `mailwright connections list`"
                    )));
                }
                secrets.forget(store.id(), &name);
                out.value(&serde_json::json!({ "removed": name }))?;
                out.line(&format!("{name} is removed"));
                Ok(())
            }
        }
    }
    .await;
    store.store().clone().close().await;
    done
}

/// A secret for senders that take ours. Platforms that give out their own need that one.
fn made(source: Source) -> Result<String, Failure> {
    let mut bits = [0u8; 32];
    getrandom::fill(&mut bits).map_err(|e| Failure::new(format!("the system gives no random numbers: {e}")))?;
    match source {
        Source::WooCommerce | Source::Generic => Ok(hex::encode(bits)),
        Source::Standard => Ok(shop::signature::standard_secret(&bits)),
        Source::Shopify | Source::BigCommerce | Source::Adobe => Err(Failure::new(
            "this platform gives out the secret itself: pass it with --secret-file FILE or --secret-env NAME",
        )),
    }
}
