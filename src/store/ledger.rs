//! The ledger's rows, and the evidence that is read in the reserving transaction.

mod evidence;
mod sends;

use std::sync::Arc;

use kit::message::{DedupeKey, Hold, LedgerRow, LedgerStore, ReserveAnswer, ReserveRequest, SendState};
use kit::{BoxFuture, ShopId, StoreError, Timestamp};

pub use sends::SendRow;

use super::error::map;
use super::given_back::give_back;
use super::keyring::{KeyToWrite, Keyring};
use super::seal::{Opener, Place};
use super::settings::append_audit;
use super::{DbConnection, ShopStore, Store, corrupt, from_json, micros, stamp, to_json};

type Tuple = (String, String, String, Option<String>, String, Option<i64>, Option<i64>);

/// Of an erased person only the key and the state are left: such a row has no message any more.
const COLUMNS: &str = "SELECT dedupe_key, channel, state, detail, request, attempted_at, settled_at FROM sends";

fn send_state(state: &str, detail: Option<String>, settled_at: Option<i64>) -> Result<SendState, StoreError> {
    let told = || detail.clone().ok_or_else(|| corrupt("send", "it is settled without a word"));
    Ok(match state {
        "reserved" => SendState::Reserved,
        "sent" => {
            let at = settled_at.ok_or_else(|| corrupt("send", "it is sent without a time"))?;
            SendState::Sent { provider_id: told()?, at: stamp(at, "send")? }
        }
        "unknown" => SendState::Unknown { why: told()? },
        "refused" => SendState::Refused { why: told()? },
        other => return Err(corrupt("send", format!("state {other}"))),
    })
}

/// Where a send's request stands.
pub(super) fn request_of(key: &str) -> Place<'_> {
    Place::of("sends.request", key)
}

fn row(tuple: Tuple, opener: &Opener) -> Result<LedgerRow, StoreError> {
    let (key, channel, state, detail, request, attempted_at, settled_at) = tuple;
    let request = opener.text(request_of(&key), request)?;
    Ok(LedgerRow {
        key: key.parse().map_err(|e| corrupt("send", e))?,
        channel: from_json(&format!("\"{channel}\""), "send channel")?,
        state: send_state(&state, detail, settled_at)?,
        message: from_json::<ReserveRequest>(&request, "send")?.message,
        attempted_at: attempted_at.map(|at| stamp(at, "send")).transpose()?,
    })
}

async fn find(
    c: &mut DbConnection,
    keyring: &Keyring,
    shop: &str,
    key: DedupeKey,
) -> Result<Option<LedgerRow>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE shop_id = $1 AND dedupe_key = $2 AND request <> ''"));
    let found: Option<Tuple> =
        sqlx::query_as(sql).bind(shop).bind(key.to_string()).fetch_optional(&mut *c).await.map_err(map)?;
    let Some(found) = found else { return Ok(None) };
    let opener = keyring.opener(c, shop, [found.4.as_bytes()]).await?;
    row(found, &opener).map(Some)
}

impl LedgerStore for Store {
    fn reserve(&self, request: ReserveRequest) -> BoxFuture<'_, Result<ReserveAnswer, StoreError>> {
        Box::pin(async move {
            let shop = request.shop.clone();
            let (store, request) = (self.shop(&shop), Arc::new(request));
            let text = to_json(&*request, "send")?;
            loop {
                let key = store.key_to_write(request.customer.as_str()).await?;
                let sealed =
                    Sealed { text: key.key.seal(request_of(&request.key.to_string()), &text)?, key: key.clone() };
                let (keyring, asked) = (Arc::clone(&self.keyring), Arc::clone(&request));
                let answer = store
                    .write(move |c, _| Box::pin(async move { reserve(c, &keyring, &asked, &sealed).await }))
                    .await?;
                if let Some(answer) = answer {
                    if matches!(answer, ReserveAnswer::Inserted(_)) {
                        self.keyring.written(&key);
                    }
                    return Ok(answer);
                }
            }
        })
    }

    fn find<'a>(&'a self, shop: &'a ShopId, key: DedupeKey) -> BoxFuture<'a, Result<Option<LedgerRow>, StoreError>> {
        Box::pin(async move {
            let mut connection = self.readers.acquire().await.map_err(map)?;
            find(&mut connection, &self.keyring, shop.as_str(), key).await
        })
    }

    fn recheck<'a>(
        &'a self,
        shop: &'a ShopId,
        key: DedupeKey,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Hold>, StoreError>> {
        Box::pin(async move {
            let mut connection = self.readers.acquire().await.map_err(map)?;
            let row: Option<(String,)> =
                sqlx::query_as("SELECT request FROM sends WHERE shop_id = $1 AND dedupe_key = $2")
                    .bind(shop.as_str())
                    .bind(key.to_string())
                    .fetch_optional(&mut *connection)
                    .await
                    .map_err(map)?;
            let (request,) = row.ok_or_else(|| corrupt("send", "its row is gone"))?;
            let opener = self.keyring.opener(&mut connection, shop.as_str(), [request.as_bytes()]).await?;
            let request = opener.text(request_of(&key.to_string()), request)?;
            let mut request: ReserveRequest = from_json(&request, "send")?;
            request.now = now;
            let evidence = evidence::gather(&mut connection, &self.keyring, &request).await?;
            Ok(request.judge(&evidence).err())
        })
    }

    fn begin_attempt<'a>(
        &'a self,
        shop: &'a ShopId,
        key: DedupeKey,
        seen: Option<Timestamp>,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(self.shop(shop).write_owned(move |c, shop| {
            Box::pin(async move {
                let claimed = sqlx::query(
                    "UPDATE sends SET attempted_at = $3
                     WHERE shop_id = $1 AND dedupe_key = $2 AND state = 'reserved' AND COALESCE(attempted_at, 0) = $4",
                )
                .bind(shop.as_str())
                .bind(key.to_string())
                .bind(micros(now))
                .bind(seen.map_or(0, micros))
                .execute(c)
                .await
                .map_err(map)?;
                if claimed.rows_affected() == 0 {
                    return Err(StoreError::Conflict(format!("send {key}")));
                }
                Ok(())
            })
        }))
    }

    fn end_attempt<'a>(
        &'a self,
        shop: &'a ShopId,
        key: DedupeKey,
        began: Timestamp,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(self.shop(shop).write_owned(move |c, shop| {
            Box::pin(async move {
                let ended = sqlx::query(
                    "UPDATE sends SET attempted_at = NULL
                     WHERE shop_id = $1 AND dedupe_key = $2 AND state = 'reserved' AND attempted_at = $3",
                )
                .bind(shop.as_str())
                .bind(key.to_string())
                .bind(micros(began))
                .execute(c)
                .await
                .map_err(map)?;
                if ended.rows_affected() == 0 {
                    return Err(StoreError::Conflict(format!("send {key}")));
                }
                Ok(())
            })
        }))
    }

    fn settle<'a>(
        &'a self,
        shop: &'a ShopId,
        key: DedupeKey,
        state: SendState,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(self.shop(shop).write_owned(move |c, shop| {
            Box::pin(async move {
                let detail = match &state {
                    SendState::Reserved => None,
                    SendState::Sent { provider_id, .. } => Some(provider_id.clone()),
                    SendState::Unknown { why } | SendState::Refused { why } => Some(why.clone()),
                };
                let at = match &state {
                    SendState::Sent { at, .. } => *at,
                    SendState::Reserved | SendState::Unknown { .. } | SendState::Refused { .. } => now,
                };
                // Only a reserved row settles: a late answer cannot overwrite an earlier one.
                let settled = sqlx::query("UPDATE sends SET state = $3, detail = $4, settled_at = $5 WHERE shop_id = $1 AND dedupe_key = $2 AND state = 'reserved'")
                    .bind(shop.as_str()).bind(key.to_string()).bind(state.as_str()).bind(&detail).bind(micros(at))
                    .execute(&mut *c).await.map_err(map)?;
                if settled.rows_affected() == 0 {
                    return Ok(());
                }
                if matches!(state, SendState::Refused { .. }) {
                    give_back_late(c, shop.as_str(), key, now).await?;
                }
                append_audit(c, shop.as_str(), now, "system", &format!("send.{}", state.as_str()), &key.to_string(), detail.as_deref().unwrap_or_default()).await
            })
        }))
    }
}

/// A run that ended while its message was under way, which has been refused now.
async fn give_back_late(c: &mut DbConnection, shop: &str, key: DedupeKey, now: Timestamp) -> Result<(), StoreError> {
    let ended: Option<(String,)> = sqlx::query_as(
        "SELECT r.run_id FROM sends s JOIN runs r ON r.shop_id = s.shop_id AND r.run_id = s.run_id
         WHERE s.shop_id = $1 AND s.dedupe_key = $2 AND r.state = 'done'",
    )
    .bind(shop)
    .bind(key.to_string())
    .fetch_optional(&mut *c)
    .await
    .map_err(map)?;
    match ended {
        Some((run,)) => give_back(c, shop, &run, now).await,
        None => Ok(()),
    }
}

impl ShopStore {
    async fn write_owned<T, F>(self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut DbConnection, ShopId) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    {
        self.write(work).await
    }
}

/// A request as it is written.
struct Sealed {
    key: KeyToWrite,
    text: String,
}

/// `None`, and nothing written, when the key is not the one that counts.
async fn reserve(
    c: &mut DbConnection,
    keyring: &Keyring,
    request: &ReserveRequest,
    sealed: &Sealed,
) -> Result<Option<ReserveAnswer>, StoreError> {
    let shop = request.shop.as_str();
    if let Some(row) = find(c, keyring, shop, request.key).await? {
        return Ok(Some(ReserveAnswer::Existing(row)));
    }
    let evidence = evidence::gather(c, keyring, request).await?;
    if let Err(hold) = request.judge(&evidence) {
        return Ok(Some(ReserveAnswer::Held(hold)));
    }
    if !sealed.key.put(c).await? {
        return Ok(None);
    }
    sqlx::query(
        "INSERT INTO sends (shop_id, dedupe_key, run_id, customer_id, flow, occasion, step, channel, destination, release, approval_id, request, state, reserved_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'reserved', $13)",
    )
    .bind(shop).bind(request.key.to_string()).bind(request.run.as_str()).bind(request.customer.as_str()).bind(request.subject.flow.as_str())
    .bind(&request.subject.occasion).bind(i64::from(request.subject.step)).bind(request.envelope.channel.as_str())
    .bind(request.envelope.audience.to_string()).bind(request.envelope.release.to_string())
    .bind(request.approval.as_ref().map(kit::ApprovalId::as_str)).bind(&sealed.text).bind(micros(request.now))
    .execute(&mut *c).await.map_err(map)?;
    if let Some(approval) = &request.approval {
        // A campaign uses its approval again for each of its people; nothing else may.
        let (sql, used_by) = match request.campaign {
            Some(campaign) => (
                "UPDATE campaign_approvals SET used_by = $3 WHERE shop_id = $1 AND approval_id = $2 AND (used_by IS NULL OR used_by = $3)",
                campaign.used_by,
            ),
            None => (
                "UPDATE approvals SET used_by = $3 WHERE shop_id = $1 AND approval_id = $2 AND used_by IS NULL",
                request.key,
            ),
        };
        let used = sqlx::query(sql)
            .bind(shop)
            .bind(approval.as_str())
            .bind(used_by.to_string())
            .execute(&mut *c)
            .await
            .map_err(map)?;
        if used.rows_affected() != 1 {
            return Err(StoreError::Conflict(format!("approval {approval}")));
        }
    }
    if let (Some(step), Some(fact)) =
        (&request.envelope.offer, request.facts.iter().find(|f| f.kind == kit::FactKind::Offer))
    {
        // One row a code: the per-customer limit counts what was really offered.
        let code = fact.text("code").unwrap_or(fact.subject.as_str());
        sqlx::query("INSERT INTO offers_granted (shop_id, code, customer_id, run_id, step, granted_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING")
            .bind(shop).bind(code).bind(request.customer.as_str()).bind(request.run.as_str()).bind(step.as_str()).bind(micros(request.now))
            .execute(&mut *c).await.map_err(map)?;
    }
    append_audit(
        c,
        shop,
        request.now,
        &format!("flow:{}", request.subject.flow),
        "send.reserved",
        &request.key.to_string(),
        request.customer.as_str(),
    )
    .await?;
    // The row as it was just inserted.
    Ok(Some(ReserveAnswer::Inserted(LedgerRow {
        key: request.key,
        channel: request.envelope.channel,
        state: SendState::Reserved,
        message: request.message.clone(),
        attempted_at: None,
    })))
}

/// Times of messages to a person since a time: to the customer, and to the address whoever it is stored for.
async fn sends_to(
    c: &mut DbConnection,
    shop: &str,
    customer: &str,
    destination: &str,
    except: &str,
    since: Timestamp,
) -> Result<Vec<Timestamp>, StoreError> {
    // A refused message did not reach anybody; an unknown one may have.
    let rows: Vec<(i64,)> = sqlx::query_as(
        "SELECT reserved_at FROM sends WHERE shop_id = $1 AND (customer_id = $2 OR destination = $3) AND dedupe_key <> $4
         AND reserved_at > $5 AND state <> 'refused' ORDER BY reserved_at",
    )
    .bind(shop)
    .bind(customer)
    .bind(destination)
    .bind(except)
    .bind(micros(since))
    .fetch_all(c)
    .await
    .map_err(map)?;
    rows.into_iter().map(|(at,)| stamp(at, "send")).collect()
}
