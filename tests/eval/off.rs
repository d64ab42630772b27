//! One gate switched off, without a back door in the product: around the ledger's store, the hand-over, or in the files.

pub(crate) mod brief;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use kit::message::{
    DedupeKey, DraftRecord, Hold, LedgerRow, LedgerStore, Outgoing, ReserveAnswer, ReserveRequest, SendState,
};
use kit::person::Email;
use kit::tool::NoSend;
use kit::{ApprovalId, BoxFuture, RunId, ShopId, StoreError, Timestamp};
use mailwright::eval::stage::Wiring;
use mailwright::release::Files;
use mailwright::runs::{Deliverer, Seed};
use toml::{Table, Value};

/// What is switched off.
#[derive(Clone, Copy)]
pub(crate) enum Off {
    /// Holds with these codes are overlooked, before the first model call and in the ledger's transaction.
    Holds(&'static [&'static str]),
    /// An order calls nothing off, and the ledger overlooks it.
    Purchase,
    /// Policy never wants a person.
    Approval,
    /// The shop's phrases are all allowed.
    BrandRules,
    /// Everybody may have every offer.
    OfferLimits,
    /// Mail goes to whoever the ledger says.
    Audience,
    /// A message is handed over twice.
    Twice,
}

impl Wiring for Off {
    fn files(&self, files: &mut Files) {
        match self {
            Self::Approval => edit(files, "knowledge/policy/risk.toml", |risk| {
                let rules = risk["rules"].as_table_mut().unwrap();
                rules.insert("vip".to_owned(), Value::from(false));
                for (_, flow) in risk["flow"].as_table_mut().unwrap() {
                    *flow = Value::Table(Table::from_iter([("trust".to_owned(), Value::from("open"))]));
                }
            }),
            Self::BrandRules => edit(files, "knowledge/brand/rules.toml", |rules| {
                rules.remove("phrase");
            }),
            Self::OfferLimits => edit(files, "knowledge/offers/ladder.toml", |ladder| {
                let ceiling = ladder["limits"]["ceiling"].as_table_mut().unwrap();
                ceiling.insert("vip".to_owned(), Value::from("fifteen-percent"));
            }),
            Self::Purchase => {
                let flows = files.iter_mut().filter(|(path, _)| path.starts_with("prompts/flows/"));
                for (_, text) in flows {
                    let lines =
                        text.lines().map(|line| if line.starts_with("cancel_on") { "cancel_on = []" } else { line });
                    *text = lines.collect::<Vec<_>>().join("\n");
                }
            }
            Self::Holds(_) | Self::Audience | Self::Twice => {}
        }
    }

    fn ledger(&self, inner: Arc<dyn LedgerStore>) -> Arc<dyn LedgerStore> {
        Arc::new(Lenient { inner, off: *self, rows: Mutex::default() })
    }

    fn deliverer(&self, inner: Arc<dyn Deliverer>) -> Arc<dyn Deliverer> {
        Arc::new(Careless { inner, off: *self })
    }
}

fn edit(files: &mut Files, file: &str, change: impl FnOnce(&mut Table)) {
    let mut table: Table = files[file].parse().unwrap();
    change(&mut table);
    files.insert(file.to_owned(), toml::to_string(&table).unwrap());
}

impl Off {
    fn overlooks(self, hold: &Hold) -> bool {
        match self {
            Self::Holds(codes) => codes.contains(&hold.code()),
            Self::Purchase => hold.code() == "bought",
            Self::Twice => hold.code() == "capped",
            Self::Approval | Self::BrandRules | Self::OfferLimits | Self::Audience => false,
        }
    }
}

/// A ledger that overlooks a hold: the row it should not have made it keeps itself.
struct Lenient {
    inner: Arc<dyn LedgerStore>,
    off: Off,
    rows: Mutex<BTreeMap<DedupeKey, LedgerRow>>,
}

impl Lenient {
    fn own(&self, key: DedupeKey) -> Option<LedgerRow> {
        self.rows.lock().unwrap().get(&key).cloned()
    }
}

impl LedgerStore for Lenient {
    fn reserve(&self, request: ReserveRequest) -> BoxFuture<'_, Result<ReserveAnswer, StoreError>> {
        Box::pin(async move {
            let (key, channel, mut message) = (request.key, request.envelope.channel, request.message.clone());
            let answer = self.inner.reserve(request).await?;
            let (overlooks, readdresses) = match &answer {
                ReserveAnswer::Held(hold) => (self.off.overlooks(hold), false),
                ReserveAnswer::Inserted(_) => (false, matches!(self.off, Off::Audience)),
                ReserveAnswer::Existing(_) => (false, false),
            };
            if !overlooks && !readdresses {
                return Ok(answer);
            }
            if readdresses {
                let Outgoing::Mail(mail) = &mut message else { panic!("the suites' flows write mail") };
                mail.to = Email::parse("wilhelmina.v@elsewhere.example").unwrap();
            }
            let row = LedgerRow { key, channel, state: SendState::Reserved, message, attempted_at: None };
            self.rows.lock().unwrap().insert(key, row.clone());
            Ok(ReserveAnswer::Inserted(row))
        })
    }

    fn find<'a>(&'a self, shop: &'a ShopId, key: DedupeKey) -> BoxFuture<'a, Result<Option<LedgerRow>, StoreError>> {
        match self.own(key) {
            Some(row) => Box::pin(std::future::ready(Ok(Some(row)))),
            None => self.inner.find(shop, key),
        }
    }

    fn recheck<'a>(
        &'a self,
        shop: &'a ShopId,
        key: DedupeKey,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Hold>, StoreError>> {
        self.inner.recheck(shop, key, now)
    }

    fn begin_attempt<'a>(
        &'a self,
        shop: &'a ShopId,
        key: DedupeKey,
        seen: Option<Timestamp>,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        match self.own(key) {
            Some(_) => Box::pin(std::future::ready(Ok(()))),
            None => self.inner.begin_attempt(shop, key, seen, now),
        }
    }

    fn end_attempt<'a>(
        &'a self,
        shop: &'a ShopId,
        key: DedupeKey,
        began: Timestamp,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        match self.own(key) {
            Some(_) => Box::pin(std::future::ready(Ok(()))),
            None => self.inner.end_attempt(shop, key, began),
        }
    }

    fn settle<'a>(
        &'a self,
        shop: &'a ShopId,
        key: DedupeKey,
        state: SendState,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        match self.own(key) {
            Some(row) => {
                self.rows.lock().unwrap().insert(key, LedgerRow { state, ..row });
                Box::pin(std::future::ready(Ok(())))
            }
            None => self.inner.settle(shop, key, state, now),
        }
    }
}

/// A hand-over that overlooks the same holds before anything is asked, or does everything twice.
struct Careless {
    inner: Arc<dyn Deliverer>,
    off: Off,
}

impl Deliverer for Careless {
    fn deliver<'a>(
        &'a self,
        run: &'a RunId,
        seed: &'a Seed,
        draft: &'a DraftRecord,
        approval: Option<&'a ApprovalId>,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Result<SendState, Hold>, StoreError>> {
        Box::pin(async move {
            let done = self.inner.deliver(run, seed, draft, approval, now).await?;
            if matches!(self.off, Off::Twice) {
                let mut again = seed.clone();
                again.subject.step += 1;
                let _ = self.inner.deliver(run, &again, draft, approval, now).await?;
            }
            Ok(done)
        })
    }

    fn lifted<'a>(&'a self, seed: &'a Seed, hold: &'a Hold, now: Timestamp) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.inner.lifted(seed, hold, now)
    }

    fn admissible<'a>(&'a self, seed: &'a Seed, now: Timestamp) -> BoxFuture<'a, Result<Option<NoSend>, StoreError>> {
        Box::pin(async move {
            let found = self.inner.admissible(seed, now).await?;
            Ok(found.filter(|reason| !matches!(self.off, Off::Holds(codes) if codes.contains(&reason.code.as_str()))))
        })
    }
}
