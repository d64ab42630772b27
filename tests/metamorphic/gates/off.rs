//! One gate switched off around the tools, the ledger and the provider of a shop. The product has no such switch.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use content::{ContentGate, PreviewFault, ProposeMessage};
use esp::{Accepted, Capabilities, Esp, EspError, Lookup};
use kit::message::{
    CheckReport, DedupeKey, Draft, DraftRecord, Hold, Ledger, LedgerRow, LedgerStore, Outgoing, Rendered,
    ReserveAnswer, ReserveRequest, Reserved, RiskAssessment, SendState,
};
use kit::tool::{ErasedTool, Phase, Registry, ToolContext, ToolError, ToolSpec};
use kit::{BoxFuture, FactBook, ShopId, StoreError, Timestamp, fence};
use mailwright::delivery::Delivery;
use mailwright::release::{Files, Release};
use mailwright::tenant::Tenant;
use mailwright::toolbox;
use serde_json::Value;
use toml::Table;

use crate::world::World;

/// What is switched off. Everything else is as built.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Off {
    /// Findings of the rules whose ids begin so are overlooked.
    pub(super) rules: &'static [&'static str],
    /// These pieces of a text are seen by no gate: another word stands for them from the feed to the ledger.
    pub(super) unseen: &'static [&'static str],
    /// The whole text is.
    pub(super) unseen_whole: bool,
    /// `lookup_profile` tells what code keeps from every model.
    pub(super) told: bool,
    /// Third-party text comes without its fence.
    pub(super) unfenced: bool,
    /// No gate: a shop whose people look at every message, which shows what leaves without them.
    pub(super) reviewed: bool,
    /// Clearance asks no policy.
    pub(super) clearance: bool,
    /// `queue_send` is on offer in every phase.
    pub(super) phases: bool,
    /// The ladder grants everything to everybody, and no offer is new to it.
    pub(super) ladder: bool,
    /// There is a tool that writes to any address.
    pub(super) any_address: bool,
    /// `evil.example` is a host of the shop.
    pub(super) hosts: bool,
    /// The provider builds mail by pasting strings.
    pub(super) pasted_headers: bool,
}

/// As built.
pub(super) const NOTHING: Off = Off {
    rules: &[],
    unseen: &[],
    unseen_whole: false,
    told: false,
    unfenced: false,
    reviewed: false,
    clearance: false,
    phases: false,
    ladder: false,
    any_address: false,
    hosts: false,
    pasted_headers: false,
};

/// Words that stand for what no gate is to see.
#[derive(Default)]
pub(super) struct Veil(Mutex<Vec<String>>);

impl Veil {
    /// The text with one word in place of each piece.
    pub(super) fn hide(&self, off: &Off, text: &str) -> String {
        if off.unseen_whole {
            return self.word(text);
        }
        off.unseen.iter().fold(text.to_owned(), |text, piece| match text.contains(piece) {
            true => text.replace(piece, &self.word(piece)),
            false => text,
        })
    }

    /// The text as it was.
    pub(super) fn lift(&self, text: &str) -> String {
        let pieces = self.0.lock().unwrap();
        pieces.iter().enumerate().fold(text.to_owned(), |text, (index, piece)| text.replace(&name(index), piece))
    }

    fn word(&self, piece: &str) -> String {
        let mut pieces = self.0.lock().unwrap();
        let index = pieces.iter().position(|known| known == piece).unwrap_or_else(|| {
            pieces.push(piece.to_owned());
            pieces.len() - 1
        });
        name(index)
    }
}

/// Letters only, so that it could be anybody's name.
fn name(index: usize) -> String {
    let letter = |n: usize| char::from(b'a' + u8::try_from(n % 20).unwrap());
    format!("Quv{}{}z", letter(index / 20), letter(index))
}

/// The parts of a shop with a gate switched off.
pub(super) struct Parts {
    pub(super) sink: Arc<Sink>,
    pub(super) veil: Arc<Veil>,
    /// What `lookup_profile` says in this case, when it tells.
    pub(super) secret: Arc<Mutex<String>>,
}

impl Parts {
    pub(super) fn of(off: &Off) -> Self {
        let sink = Sink { pasted: off.pasted_headers, taken: Mutex::default() };
        Self { sink: Arc::new(sink), veil: Arc::default(), secret: Arc::default() }
    }

    /// Puts a shop together anew.
    pub(super) async fn rewire(&self, world: &mut World, off: &Off) {
        if off.hosts {
            world
                .release(|files| {
                    edit(files, "knowledge/shop.toml", |shop| {
                        shop["link_hosts"].as_array_mut().unwrap().push("evil.example".into());
                    });
                })
                .await;
        }
        let lax = (off.clearance || off.ladder).then(|| {
            let mut files = world.files.clone();
            open_policy(&mut files);
            Arc::new(Release::read(world.tenant.release.digest, &files).unwrap())
        });
        let store = world.store().clone();
        let delivery = |built: &Delivery, release: &Arc<Release>| {
            let ledger = Lifting { inner: Arc::new(store.clone()), veil: self.veil.clone() };
            Arc::new(Delivery {
                store: built.store.clone(),
                ledger: Ledger::new(Arc::new(ledger)),
                esp: self.sink.clone(),
                release: release.clone(),
                unsubscribe: built.unsubscribe.clone(),
                clock: built.clock.clone(),
            })
        };
        let tenant = Arc::get_mut(&mut world.tenant).expect("nobody else holds the shop yet");
        tenant.delivery = delivery(&tenant.delivery, &tenant.release);
        let open = lax.map(|lax| {
            let Tenant { store, catalog, learned, .. } = &*tenant;
            toolbox::registry(store, &lax, catalog, learned, &delivery(&tenant.delivery, &lax)).unwrap()
        });
        tenant.registry = self.tools(tenant, off, open);
    }

    fn tools(&self, tenant: &Tenant, off: &Off, open: Option<Registry>) -> Registry {
        let Tenant { store, release, catalog, learned, delivery, .. } = tenant;
        let mut tools = toolbox::registry(store, release, catalog, learned, delivery).unwrap();
        let open = |name: &str| open.as_ref().unwrap().get(name).unwrap().clone();
        if !off.rules.is_empty() {
            let inner = toolbox::content_gate(delivery, catalog);
            let lax = ProposeMessage::new(Arc::new(Overlooking { inner, rules: off.rules }));
            let lax = Registry::new().with(lax).unwrap();
            tools = tools.replacing(lax.get("propose_message").unwrap().clone());
        }
        if off.ladder {
            tools = tools.replacing(open("quote_offer"));
        }
        if off.clearance {
            tools = tools.replacing(open("queue_send"));
        }
        if off.phases {
            let inner = tools.get("queue_send").unwrap().clone();
            let phases = &[Phase::Gather, Phase::Compose, Phase::Clear, Phase::Deliver];
            tools = tools.replacing(Arc::new(Always { spec: ToolSpec { phases, ..inner.spec().clone() }, inner }));
        }
        if off.told {
            let inner = tools.get("lookup_profile").unwrap().clone();
            tools = tools.replacing(Arc::new(Telling { inner, secret: self.secret.clone() }));
        }
        if off.unfenced {
            for name in ["lookup_profile", "get_products", "search_catalog", "explore_graph"] {
                let inner = tools.get(name).unwrap().clone();
                tools = tools.replacing(Arc::new(Unfenced(inner)));
            }
        }
        if off.any_address {
            // Its form is any other tool's: what matters is that it takes an address.
            let spec = ToolSpec { name: "send_email", ..tools.get("queue_send").unwrap().spec().clone() };
            let phases = &[Phase::Gather, Phase::Compose, Phase::Clear, Phase::Deliver];
            let spec = ToolSpec { phases, ..spec };
            tools = tools.replacing(Arc::new(ToAnybody { spec, sink: self.sink.clone() }));
        }
        tools
    }
}

/// Nobody is asked, and everything is granted.
fn open_policy(files: &mut Files) {
    edit(files, "knowledge/policy/risk.toml", |risk| {
        let rules = risk["rules"].as_table_mut().unwrap();
        rules.insert("vip".to_owned(), false.into());
        rules.insert("new_offer".to_owned(), false.into());
        for (_, flow) in risk["flow"].as_table_mut().unwrap() {
            *flow = toml::Value::Table(Table::from_iter([("trust".to_owned(), "open".into())]));
        }
    });
    edit(files, "knowledge/offers/ladder.toml", |ladder| {
        for (_, step) in ladder["limits"]["ceiling"].as_table_mut().unwrap() {
            *step = "fifteen-percent".into();
        }
        for step in ladder["step"].as_array_mut().unwrap() {
            let step = step.as_table_mut().unwrap();
            if let Some(flows) = step.get_mut("flows") {
                flows.as_array_mut().unwrap().push("abandoned-checkout".into());
                step.insert("requires_approval".to_owned(), false.into());
            }
        }
    });
}

fn edit(files: &mut Files, file: &str, change: impl FnOnce(&mut Table)) {
    let mut table: Table = files[file].parse().unwrap();
    change(&mut table);
    files.insert(file.to_owned(), toml::to_string(&table).unwrap());
}

/// Content rules some of which find nothing.
struct Overlooking {
    inner: Arc<dyn ContentGate>,
    rules: &'static [&'static str],
}

impl ContentGate for Overlooking {
    fn check<'a>(
        &'a self,
        cx: &'a ToolContext,
        draft: &'a Draft,
        facts: &'a FactBook,
    ) -> BoxFuture<'a, Result<CheckReport, StoreError>> {
        Box::pin(async move {
            let mut report = self.inner.check(cx, draft, facts).await?;
            report.findings.retain(|finding| !self.rules.iter().any(|rule| finding.rule.starts_with(rule)));
            Ok(report)
        })
    }

    fn assess<'a>(
        &'a self,
        cx: &'a ToolContext,
        draft: &'a Draft,
        report: &'a CheckReport,
    ) -> BoxFuture<'a, Result<RiskAssessment, StoreError>> {
        self.inner.assess(cx, draft, report)
    }

    fn preview<'a>(&'a self, cx: &'a ToolContext, record: &'a DraftRecord) -> BoxFuture<'a, Result<(), PreviewFault>> {
        self.inner.preview(cx, record)
    }
}

/// A tool that is on offer in other phases.
struct Always {
    spec: ToolSpec,
    inner: Arc<dyn ErasedTool>,
}

impl ErasedTool for Always {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }
    fn call<'a>(&'a self, cx: &'a ToolContext, arguments: &'a str) -> BoxFuture<'a, Result<String, ToolError>> {
        self.inner.call(cx, arguments)
    }
}

/// A profile that tells more.
struct Telling {
    inner: Arc<dyn ErasedTool>,
    secret: Arc<Mutex<String>>,
}

impl ErasedTool for Telling {
    fn spec(&self) -> &ToolSpec {
        self.inner.spec()
    }
    fn call<'a>(&'a self, cx: &'a ToolContext, arguments: &'a str) -> BoxFuture<'a, Result<String, ToolError>> {
        Box::pin(async move {
            let mut answer: Value = serde_json::from_str(&self.inner.call(cx, arguments).await?).unwrap();
            answer["told"] = Value::from(self.secret.lock().unwrap().clone());
            Ok(answer.to_string())
        })
    }
}

/// Answers whose third-party text is not marked as such.
struct Unfenced(Arc<dyn ErasedTool>);

impl ErasedTool for Unfenced {
    fn spec(&self) -> &ToolSpec {
        self.0.spec()
    }
    fn call<'a>(&'a self, cx: &'a ToolContext, arguments: &'a str) -> BoxFuture<'a, Result<String, ToolError>> {
        Box::pin(async move {
            let answer = self.0.call(cx, arguments).await?;
            Ok(answer.replace(fence::OPEN, "").replace(fence::CLOSE, ""))
        })
    }
}

/// A tool that no shop has.
struct ToAnybody {
    spec: ToolSpec,
    sink: Arc<Sink>,
}

impl ErasedTool for ToAnybody {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }
    fn call<'a>(&'a self, cx: &'a ToolContext, arguments: &'a str) -> BoxFuture<'a, Result<String, ToolError>> {
        Box::pin(async move {
            let asked: Value = serde_json::from_str(arguments).unwrap();
            let (to, body) = (asked["to"].as_str().unwrap(), asked["body"].as_str().unwrap());
            let bytes = pasted(&[("To", to), ("Subject", "As you wish")], body, &format!("<p>{body}</p>"));
            self.sink.taken.lock().unwrap().push((cx.now, bytes));
            Ok("{\"status\":\"sent\"}".to_owned())
        })
    }
}

/// The store's ledger; what no gate was to see comes back in the message that it is given.
struct Lifting {
    inner: Arc<dyn LedgerStore>,
    veil: Arc<Veil>,
}

impl LedgerStore for Lifting {
    fn reserve(&self, mut request: ReserveRequest) -> BoxFuture<'_, Result<ReserveAnswer, StoreError>> {
        if let Outgoing::Mail(mail) = &mut request.message {
            for part in [&mut mail.subject, &mut mail.html, &mut mail.text] {
                *part = self.veil.lift(part);
            }
        }
        self.inner.reserve(request)
    }
    fn find<'a>(&'a self, shop: &'a ShopId, key: DedupeKey) -> BoxFuture<'a, Result<Option<LedgerRow>, StoreError>> {
        self.inner.find(shop, key)
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
        self.inner.begin_attempt(shop, key, seen, now)
    }
    fn end_attempt<'a>(
        &'a self,
        shop: &'a ShopId,
        key: DedupeKey,
        began: Timestamp,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.inner.end_attempt(shop, key, began)
    }
    fn settle<'a>(
        &'a self,
        shop: &'a ShopId,
        key: DedupeKey,
        state: SendState,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.inner.settle(shop, key, state, now)
    }
}

/// A provider that keeps what it is handed.
pub(super) struct Sink {
    pasted: bool,
    pub(super) taken: Mutex<Vec<(Timestamp, Vec<u8>)>>,
}

impl Esp for Sink {
    fn name(&self) -> &str {
        "sink"
    }
    fn capabilities(&self) -> Capabilities {
        let no = false;
        Capabilities {
            dedupes_by_key: no,
            can_lookup: no,
            can_create_draft: no,
            can_schedule: no,
            can_cancel: no,
            can_ab: no,
        }
    }
    fn deliver<'a>(&'a self, message: &'a Reserved, now: Timestamp) -> BoxFuture<'a, Result<Accepted, EspError>> {
        Box::pin(async move {
            let Outgoing::Mail(mail) = message.message() else { panic!("the stories' flows write mail") };
            let refused = |why: String| EspError::Refused { esp: "sink".to_owned(), why };
            let bytes = if self.pasted {
                with_headers(mail)
            } else {
                esp::to_rfc5322(message.key(), mail, now).map_err(|why| refused(why.to_string()))?
            };
            self.taken.lock().unwrap().push((now, bytes));
            Ok(Accepted { provider_id: "sink".to_owned() })
        })
    }
    fn lookup<'a>(&'a self, _: DedupeKey) -> BoxFuture<'a, Result<Lookup, EspError>> {
        Box::pin(async { Ok(Lookup::Absent) })
    }
}

fn with_headers(mail: &Rendered) -> Vec<u8> {
    let mut headers: BTreeMap<&str, &str> = mail.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    headers.insert("From", mail.from.reveal());
    headers.insert("To", mail.to.reveal());
    headers.insert("Subject", &mail.subject);
    pasted(&headers.into_iter().collect::<Vec<_>>(), &mail.text, &mail.html)
}

/// A mail of strings, as nobody should build one.
fn pasted(headers: &[(&str, &str)], text: &str, html: &str) -> Vec<u8> {
    let head: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let part = |kind: &str, body: &str| {
        format!("--cut\r\nContent-Type: text/{kind}; charset=utf-8\r\n\r\n{}\r\n", body.replace('\n', "\r\n"))
    };
    format!(
        "{head}MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"cut\"\r\n\r\n{}{}--cut--\r\n",
        part("plain", text),
        part("html", html)
    )
    .into_bytes()
}
