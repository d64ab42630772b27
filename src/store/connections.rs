//! Connections (which shop system may send webhooks) and tokens of the API. No secret is stored: a connection's is in a
//! file or in the environment, a token's only as a digest.

use kit::{Digest, Role, StoreError, Timestamp};

use super::error::map;
use super::settings::append_audit;
use super::{ShopStore, corrupt, micros, stamp};

/// A shop system that may send webhooks.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Connection {
    /// Its name in the address: `/webhooks/{source}/{id}`.
    pub id: String,
    /// Which platform.
    pub source: String,
    /// The shop's domain or id on the platform; empty when the secret alone binds it.
    pub domain: String,
    /// The environment variable that holds the secret; `None` when a file of the data folder does.
    pub secret_env: Option<String>,
    /// Where the shop's own API answers; `None` for the platform's usual address.
    pub api_base: Option<String>,
    /// The environment variable that holds the API's token; `None` when a file of the data folder does, if there is one.
    pub api_token_env: Option<String>,
    /// Since when.
    pub created_at: Timestamp,
}

/// A token of the API.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ApiToken {
    /// Its name in listings.
    pub id: String,
    /// Whose: the name that decisions are signed with.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when.
    pub revoked_at: Option<Timestamp>,
}

type TokenTuple = (String, String, String, i64, Option<i64>);

fn token(row: TokenTuple) -> Result<ApiToken, StoreError> {
    let (id, name, role, created_at, revoked_at) = row;
    Ok(ApiToken {
        id,
        name,
        role: super::from_json(&format!("\"{role}\""), "token")?,
        created_at: stamp(created_at, "token")?,
        revoked_at: revoked_at.map(|at| stamp(at, "token")).transpose()?,
    })
}

impl ShopStore {
    /// Adds a connection.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when there is one of this name.
    pub async fn add_connection(&self, new: Connection, by: &str) -> Result<(), StoreError> {
        let by = by.to_owned();
        self.write(move |c, shop| {
            Box::pin(async move {
                let added = sqlx::query(
                    "INSERT INTO connections (shop_id, connection_id, source, domain, secret_env, created_at, api_base, api_token_env)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
                )
                .bind(shop.as_str())
                .bind(&new.id)
                .bind(&new.source)
                .bind(&new.domain)
                .bind(&new.secret_env)
                .bind(micros(new.created_at))
                .bind(&new.api_base)
                .bind(&new.api_token_env)
                .execute(&mut *c)
                .await
                .map_err(map)?;
                if added.rows_affected() == 0 {
                    return Err(StoreError::Conflict(format!("connection {}", new.id)));
                }
                append_audit(c, shop.as_str(), new.created_at, &by, "connection.added", &new.id, &new.source).await
            })
        })
        .await
    }

    /// Removes a connection; false when there is none.
    pub async fn remove_connection(&self, id: &str, by: &str, now: Timestamp) -> Result<bool, StoreError> {
        let (id, by) = (id.to_owned(), by.to_owned());
        self.write(move |c, shop| {
            Box::pin(async move {
                let gone = sqlx::query("DELETE FROM connections WHERE shop_id = $1 AND connection_id = $2")
                    .bind(shop.as_str())
                    .bind(&id)
                    .execute(&mut *c)
                    .await
                    .map_err(map)?;
                if gone.rows_affected() == 0 {
                    return Ok(false);
                }
                append_audit(c, shop.as_str(), now, &by, "connection.removed", &id, "").await?;
                Ok(true)
            })
        })
        .await
    }

    /// All connections by name.
    pub async fn connections(&self) -> Result<Vec<Connection>, StoreError> {
        type Row = (String, String, String, Option<String>, i64, Option<String>, Option<String>);
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT connection_id, source, domain, secret_env, created_at, api_base, api_token_env FROM connections WHERE shop_id = $1 ORDER BY connection_id",
        )
        .bind(self.shop.as_str())
        .fetch_all(self.readers())
        .await
        .map_err(map)?;
        rows.into_iter()
            .map(|(id, source, domain, secret_env, created_at, api_base, api_token_env)| {
                let created_at = stamp(created_at, "connection")?;
                Ok(Connection { id, source, domain, secret_env, api_base, api_token_env, created_at })
            })
            .collect()
    }

    /// Adds a token by the digest of its secret.
    pub async fn add_token(&self, new: ApiToken, hash: Digest, by: &str) -> Result<(), StoreError> {
        let (by, role) = (by.to_owned(), role_name(new.role)?);
        self.write(move |c, shop| {
            Box::pin(async move {
                sqlx::query(
                    "INSERT INTO api_tokens (shop_id, token_id, name, role, hash, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
                )
                .bind(shop.as_str())
                .bind(&new.id)
                .bind(&new.name)
                .bind(&role)
                .bind(hash.to_string())
                .bind(micros(new.created_at))
                .execute(&mut *c)
                .await
                .map_err(map)?;
                let what = format!("{} as {role}", new.name);
                append_audit(c, shop.as_str(), new.created_at, &by, "token.created", &new.id, &what).await
            })
        })
        .await
    }

    /// Revokes a token; false when there is none that counts.
    pub async fn revoke_token(&self, id: &str, by: &str, now: Timestamp) -> Result<bool, StoreError> {
        let (id, by) = (id.to_owned(), by.to_owned());
        self.write(move |c, shop| {
            Box::pin(async move {
                let done = sqlx::query(
                    "UPDATE api_tokens SET revoked_at = $3 WHERE shop_id = $1 AND token_id = $2 AND revoked_at IS NULL",
                )
                .bind(shop.as_str())
                .bind(&id)
                .bind(micros(now))
                .execute(&mut *c)
                .await
                .map_err(map)?;
                if done.rows_affected() == 0 {
                    return Ok(false);
                }
                append_audit(c, shop.as_str(), now, &by, "token.revoked", &id, "").await?;
                Ok(true)
            })
        })
        .await
    }

    /// All tokens, oldest first.
    pub async fn tokens(&self) -> Result<Vec<ApiToken>, StoreError> {
        let rows: Vec<TokenTuple> = sqlx::query_as(
            "SELECT token_id, name, role, created_at, revoked_at FROM api_tokens WHERE shop_id = $1 ORDER BY created_at, token_id",
        )
        .bind(self.shop.as_str())
        .fetch_all(self.readers())
        .await
        .map_err(map)?;
        rows.into_iter().map(token).collect()
    }

    /// The token with this digest, if it counts.
    pub async fn token_by_hash(&self, hash: Digest) -> Result<Option<ApiToken>, StoreError> {
        let row: Option<TokenTuple> = sqlx::query_as(
            "SELECT token_id, name, role, created_at, revoked_at FROM api_tokens
             WHERE shop_id = $1 AND hash = $2 AND revoked_at IS NULL",
        )
        .bind(self.shop.as_str())
        .bind(hash.to_string())
        .fetch_optional(self.readers())
        .await
        .map_err(map)?;
        row.map(token).transpose()
    }
}

/// The role as tables and JSON have it.
fn role_name(role: Role) -> Result<String, StoreError> {
    match serde_json::to_value(role) {
        Ok(serde_json::Value::String(name)) => Ok(name),
        Ok(other) => Err(corrupt("role", format!("{other} is no word"))),
        Err(error) => Err(corrupt("role", error)),
    }
}
