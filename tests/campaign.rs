//! Campaigns from a brief to files in the outbox, with the offline model and the sample shop's people.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

mod beside;
mod changes;
mod crash;
mod edits;
mod offers;
mod story;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use esp::Outbox;
use jiff::civil::{date, time};
use kit::campaign::{
    Angle, AudienceSpec, Brief, BriefProduct, CampaignId, OfferChoice, OfferPlan, Predicate, Schedule, SendZone,
    VipTreatment,
};
use kit::message::Channel;
use kit::{ApprovalId, Language, OfferStepId, Principal, Role};
use mailwright::approvals::{Assent, DecideError, Looked};
use mailwright::clock::{Clock as _, SetClock};
use mailwright::release::Files;
use mailwright::runs::Silent;
use mailwright::sample::SampleSpec;
use mailwright::sample_shop;
use mailwright::store::Store;
use mailwright::tenant::{Parts, Tenant};
use tempfile::TempDir;

/// Two days before the campaign of these tests leaves.
const TUESDAY: &str = "2026-11-17T10:00:00Z";
/// The day after, when everybody's hour has come: the brief says Thursday at ten.
const THURSDAY_EVENING: &str = "2026-11-19T19:00:00Z";

/// The sample shop with some of its people.
struct Shop {
    clock: Arc<SetClock>,
    tenant: Arc<Tenant>,
    folder: std::path::PathBuf,
    _kept: Option<TempDir>,
    _store: Store,
}

impl Shop {
    async fn open(customers: u32) -> Self {
        let kept = tempfile::tempdir().unwrap();
        let shop = Self::open_in(kept.path(), customers).await;
        Self { _kept: Some(kept), ..shop }
    }

    async fn open_in(folder: &Path, customers: u32) -> Self {
        let now = TUESDAY.parse().unwrap();
        let store = Store::open(folder).await.unwrap();
        let spec = SampleSpec { customers, now, ..SampleSpec::default() };
        let shop = sample_shop::set_up(&store, &spec, now, &|_, _| {}).await.unwrap();
        let clock = Arc::new(SetClock::at(now));
        let esp = Arc::new(Outbox::open(folder.join("outbox")).unwrap());
        let parts = Parts::new(clock.clone(), esp, Vec::new());
        let tenant = Arc::new(Tenant::open(&store, &shop, parts).await.unwrap());
        Self { clock, tenant, folder: folder.to_owned(), _kept: None, _store: store }
    }

    /// Packs for everybody who has bought something, by mail before text messages.
    fn brief(&self) -> Brief {
        let packs: Vec<_> = self
            .tenant
            .catalog
            .products()
            .filter(|p| p.category.as_str().starts_with("packs/") && p.stock > 20 && p.regulated.is_none())
            .take(2)
            .map(|p| BriefProduct {
                product: p.id.clone(),
                title: p.id.to_string(),
                category: p.category.clone(),
                because: "packs for the season".to_owned(),
                path: String::new(),
                regulated: None,
            })
            .collect();
        assert_eq!(packs.len(), 2);
        Brief {
            title: Some("Packs".to_owned()),
            objective: Some("Sell packs to people who know us".to_owned()),
            audience: AudienceSpec { include: vec![Predicate::OrdersAtLeast { orders: 1 }], exclude: Vec::new() },
            vip: VipTreatment::Excluded,
            offer: OfferPlan { choice: OfferChoice::None, ..OfferPlan::default() },
            products: packs,
            channels: vec![Channel::Email, Channel::Sms],
            schedule: Some(Schedule {
                on: date(2026, 11, 19),
                at: time(10, 0, 0, 0),
                zone: SendZone::Recipient,
                not_after: date(2026, 11, 20),
                said: Some("thursday".to_owned()),
            }),
            angles: vec![Angle::Occasion, Angle::Comeback],
            languages: vec![Language::EN, Language::DE],
            owner: Some("user:mira".to_owned()),
            ..Brief::default()
        }
    }

    /// Text messages first.
    fn by_sms(&self) -> Brief {
        Brief { channels: vec![Channel::Sms, Channel::Email], ..self.brief() }
    }

    fn with_offer(&self, step: &str) -> Brief {
        let choice = OfferChoice::Step { step: OfferStepId::new(step).unwrap() };
        Brief { offer: OfferPlan { choice, ..OfferPlan::default() }, ..self.brief() }
    }

    /// Puts a changed release in force.
    async fn release(&mut self, change: impl FnOnce(&mut Files)) {
        let mut files = mailwright::release::defaults();
        change(&mut files);
        let shop = Tenant::set_up(&self._store, files, self.clock.now()).await.unwrap();
        let esp = Arc::new(Outbox::open(self.folder.join("outbox")).unwrap());
        let parts = Parts::new(self.clock.clone(), esp, Vec::new());
        self.tenant = Arc::new(Tenant::open(&self._store, &shop, parts).await.unwrap());
    }

    /// Frozen, written and asked about.
    async fn asked(&self, brief: &Brief) -> (CampaignId, ApprovalId) {
        let id = self.tenant.freeze_campaign("brf-1", brief, &mira()).await.unwrap();
        self.tenant.write_campaign(&id, &mira(), Arc::new(Silent)).await.unwrap();
        let approval = self.tenant.ask_for_campaign(&id, &mira()).await.unwrap();
        (id, approval)
    }

    /// Looked at and approved, and the time in which that can be recalled goes by.
    async fn approve(&self, id: &ApprovalId, who: &Principal) -> Result<(), DecideError> {
        let Looked { seen, route, .. } = self.tenant.look(id).await?;
        let assent = Assent { seen, typed_count: route.typed_count };
        let signed = self.tenant.approve(id, who, &assent).await?;
        self.clock.set(signed.recallable_until.expect("one approver is enough"));
        Ok(())
    }

    /// Approved by somebody else and on its schedule.
    async fn scheduled(&self, brief: &Brief) -> CampaignId {
        let (id, approval) = self.asked(brief).await;
        self.approve(&approval, &nora()).await.unwrap();
        self.tenant.schedule_campaign(&id, &mira()).await.unwrap();
        id
    }

    /// Files in a folder of the outbox, by name.
    fn files(&self, folder: &str) -> BTreeMap<String, String> {
        read(&self.folder.join("outbox").join(folder))
    }

    /// Recipients by state and reason.
    async fn counts(&self, id: &CampaignId) -> BTreeMap<(String, String), u32> {
        self.tenant.store.recipient_counts(id).await.unwrap()
    }
}

fn read(folder: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        files.insert(name, std::fs::read_to_string(&path).unwrap());
    }
    files
}

fn mira() -> Principal {
    Principal::User { name: "mira".to_owned(), role: Role::Approver }
}

fn nora() -> Principal {
    Principal::User { name: "nora".to_owned(), role: Role::Approver }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(future)
}
