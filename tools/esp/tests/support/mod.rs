//! Reserved messages for tests, made the only way there is: through the ledger. And the conformance test for adapters.
#![allow(dead_code, unreachable_pub, missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::tz::TimeZone;
use kit::message::*;
use kit::person::Email;
use kit::tool::Subject;
use kit::{BoxFuture, Digest, FactBook, Language, RunId, ShopId, StoreError, Timestamp};
use mailwright_esp::{Accepted, Esp, Lookup};

pub fn now() -> Timestamp {
    "2026-03-02T09:30:00Z".parse().unwrap()
}

/// For futures that never wait, such as the outbox's: one poll ends them.
pub fn finish<T>(mut future: BoxFuture<'_, T>) -> T {
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut cx) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("the future waits"),
    }
}

pub fn rendered() -> Rendered {
    Rendered {
        subject: "Your boots can be resoled".into(),
        html: "<!doctype html><html lang=\"en\"><body><p>Boots you can keep</p></body></html>\n".into(),
        text: "Boots you can keep\n\nUnsubscribe:\nhttps://mail.fern.example/u/k3J9\n".into(),
        headers: vec![
            ("List-Unsubscribe".into(), "<https://mail.fern.example/u/k3J9>".into()),
            ("List-Unsubscribe-Post".into(), "List-Unsubscribe=One-Click".into()),
            ("Feedback-ID".into(), "cart:en:mailwright:mail.fern.example".into()),
        ],
        from_name: "Fern & Fell".into(),
        from: Email::parse("hello@mail.fern.example").unwrap(),
        reply_to: Email::parse("care@fern.example").unwrap(),
        to: Email::parse("aoife@example.com").unwrap(),
    }
}

/// A reserved e-mail for an occasion; equal occasions and addresses have equal keys.
pub fn reserved(occasion: &str, message: Rendered) -> Reserved {
    reserved_as(occasion, message.into())
}

/// A reserved text message.
pub fn reserved_sms(occasion: &str, message: TextMessage) -> Reserved {
    reserved_as(occasion, message.into())
}

pub fn text_message() -> TextMessage {
    let body = "Fern & Fell: Your boots can be resoled. https://fern.example/s/7yk2m0qa Reply STOP to opt out";
    let number = kit::phone::Phone::parse("+353850123456").unwrap();
    TextMessage { sender: "FernFell".into(), number, body: body.into(), parts: 1 }
}

fn reserved_as(occasion: &str, message: Outgoing) -> Reserved {
    let channel = message.channel();
    let shop = ShopId::new("fern").unwrap();
    let subject = subject(occasion);
    let record = record(channel);
    let envelope = Envelope {
        shop: shop.clone(),
        flow: subject.flow.clone(),
        channel,
        content: record.report.content,
        audience: message.to().digest(&shop),
        offer: None,
        not_after: "2026-03-09T00:00:00Z".parse().unwrap(),
        rules: record.report.rules_version,
        release: subject.release,
    };
    let risk = RiskAssessment { reasons: Vec::new(), policy: Digest::of_bytes(b"policy") };
    let customer = subject.customer.clone();
    let cleared = Cleared::by_policy(Checked::new(record).unwrap(), envelope, customer, &risk).unwrap();
    let ledger = Ledger::new(Arc::new(OpenLedger));
    let run = RunId::new("run-1").unwrap();
    match finish(Box::pin(ledger.reserve(cleared, run, subject, message, now()))).unwrap() {
        ReserveOutcome::Reserved(reserved) => *reserved,
        other => panic!("{other:?}"),
    }
}

pub fn record(channel: Channel) -> DraftRecord {
    let draft = Draft {
        channel,
        language: Language::EN,
        angle: "cart".into(),
        subjects: vec!["Your boots can be resoled".into()],
        preheader: "A sole that can be replaced.".into(),
        blocks: vec![Block::Heading { text: "Boots you can keep".into() }],
        confidence: Confidence::High,
    };
    let facts = FactBook::new();
    let report = CheckReport {
        content: draft.content_hash(&facts).unwrap(),
        rules_version: Digest::of_bytes(b"rules"),
        findings: Vec::new(),
        checked_at: now(),
    };
    DraftRecord { draft, facts, report, authors: BTreeSet::from(["flow:cart".to_owned()]) }
}

pub fn subject(occasion: &str) -> Subject {
    Subject {
        flow: "cart".parse().unwrap(),
        customer: "c-7".parse().unwrap(),
        occasion: occasion.into(),
        step: 1,
        triggered_at: now(),
        products: Vec::new(),
        cart_url: None,
        stops_on_purchase: true,
        language: Language::EN,
        release: Digest::of_bytes(b"release"),
    }
}

/// A ledger that remembers nothing and objects to nothing but what the kit itself judges.
struct OpenLedger;

impl LedgerStore for OpenLedger {
    fn reserve(&self, request: ReserveRequest) -> BoxFuture<'_, Result<ReserveAnswer, StoreError>> {
        Box::pin(async move {
            let evidence = ReserveEvidence {
                kill: None,
                erased: false,
                cancelled: None,
                audience: Some(request.envelope.audience),
                consent: ConsentState::Subscribed,
                suppressed: None,
                open_tickets: 0,
                bought_since: None,
                holdout: false,
                recent_sends: Vec::new(),
                cap_day: 1,
                cap_week: 3,
                quiet: QuietHours { from: 21, to: 8 },
                open: Some(OpenHours { weekday: (8, 21), saturday: (8, 21), sunday: (8, 21) }),
                zone: TimeZone::UTC,
                approval: None,
                recallable_until: None,
                rules: request.envelope.rules,
                changed_facts: Vec::new(),
            };
            Ok(match request.judge(&evidence) {
                Err(hold) => ReserveAnswer::Held(hold),
                Ok(()) => ReserveAnswer::Inserted(LedgerRow {
                    key: request.key,
                    channel: request.envelope.channel,
                    state: SendState::Reserved,
                    message: request.message,
                    attempted_at: None,
                }),
            })
        })
    }

    fn find<'a>(&'a self, _: &'a ShopId, _: DedupeKey) -> BoxFuture<'a, Result<Option<LedgerRow>, StoreError>> {
        Box::pin(async { Ok(None) })
    }

    fn recheck<'a>(
        &'a self,
        _: &'a ShopId,
        _: DedupeKey,
        _: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Hold>, StoreError>> {
        Box::pin(async { Ok(None) })
    }

    fn begin_attempt<'a>(
        &'a self,
        _: &'a ShopId,
        _: DedupeKey,
        _: Option<Timestamp>,
        _: Timestamp,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async { Ok(()) })
    }

    fn end_attempt<'a>(&'a self, _: &'a ShopId, _: DedupeKey, _: Timestamp) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async { Ok(()) })
    }

    fn settle<'a>(
        &'a self,
        _: &'a ShopId,
        _: DedupeKey,
        _: SendState,
        _: Timestamp,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async { Ok(()) })
    }
}

/// What every adapter must do, as far as its capabilities claim. `make` gives a reserved message for an occasion.
pub async fn conformance(esp: &dyn Esp, make: impl Fn(&str) -> Reserved) {
    let can = esp.capabilities();
    assert!(!esp.name().is_empty());
    let first = make("conformance-1");
    if can.can_lookup {
        assert_eq!(esp.lookup(first.key()).await, Ok(Lookup::Absent), "nothing was delivered yet");
    }
    let accepted = esp.deliver(&first, now()).await.unwrap();
    assert!(!accepted.provider_id.is_empty());
    if can.can_lookup {
        assert_eq!(esp.lookup(first.key()).await, Ok(Lookup::Found(accepted.clone())));
    }
    if can.dedupes_by_key {
        let again = make("conformance-1");
        assert_eq!(esp.deliver(&again, now()).await, Ok(accepted.clone()), "the same key is the same message");
        let at_once: Vec<Accepted> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| {
                    let message = make("conformance-2");
                    scope.spawn(move || {
                        // Its own runtime: an adapter may speak to a network.
                        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                        runtime.block_on(esp.deliver(&message, now())).unwrap()
                    })
                })
                .collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        assert_eq!(at_once.iter().map(|a| &a.provider_id).collect::<BTreeSet<_>>().len(), 1, "one id for one key");
    }
    let other = esp.deliver(&make("conformance-3"), now()).await.unwrap();
    assert_ne!(other, accepted, "another key is another message");
}
