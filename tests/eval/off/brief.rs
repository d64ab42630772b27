//! A gate of a brief switched off, around the tool that holds it or before a campaign leaves.

use std::sync::Arc;

use kit::campaign::{BriefContext, CampaignId, Changes, Question};
use kit::tool::{Disposition, ErasedTool, Registry, ToolContext, ToolError, ToolSpec};
use kit::{ApprovalId, BoxFuture, Digest, Principal, Role};
use mailwright::approvals::Assent;
use mailwright::eval::stage::Wiring;
use mailwright::tenant::Tenant;
use serde_json::Value;

/// What is switched off.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum BriefOff {
    /// Whatever a model quotes was said, and takes back what the model says it takes back.
    Quotes,
    /// A plan is not held to what was ruled.
    Standing,
    /// The marketer is asked as often as a model likes.
    QuestionLimit,
    /// What leaves is signed as it is then, by nobody who looked.
    Terms,
}

impl Wiring for BriefOff {
    fn tools(&self, tools: Registry) -> Registry {
        let name = match self {
            Self::Quotes | Self::Standing => "update_brief",
            Self::QuestionLimit => "ask_marketer",
            Self::Terms => return tools,
        };
        let inner = tools.get(name).unwrap().clone();
        tools.replacing(Arc::new(Lax { inner, off: *self }))
    }

    fn before_sending<'a>(&'a self, tenant: &'a Tenant, campaign: &'a CampaignId) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if *self == Self::Terms {
                sign_anew(tenant, campaign).await;
            }
        })
    }
}

/// A tool that is told what its gate wants to hear.
struct Lax {
    inner: Arc<dyn ErasedTool>,
    off: BriefOff,
}

impl ErasedTool for Lax {
    fn spec(&self) -> &ToolSpec {
        self.inner.spec()
    }

    fn call<'a>(&'a self, cx: &'a ToolContext, arguments: &'a str) -> BoxFuture<'a, Result<String, ToolError>> {
        Box::pin(async move {
            let mut arguments: Value = serde_json::from_str(arguments).unwrap();
            let mut talk = cx.talk.as_deref().cloned().unwrap();
            let ruled = talk.brief.constraints.clone();
            match self.off {
                BriefOff::Quotes => everything_was_said(&mut arguments, &mut talk),
                BriefOff::Standing => Arc::make_mut(&mut talk.brief).constraints.clear(),
                BriefOff::QuestionLimit => talk.asked.clear(),
                BriefOff::Terms => {}
            }
            let told = cx.clone().in_talk(Some(Arc::new(talk)));
            let answer = self.inner.call(&told, &arguments.to_string()).await;
            if self.off == BriefOff::Standing
                && let (_, Some(Disposition::Briefed { mut brief })) = cx.finish()
            {
                brief.constraints = ruled;
                cx.dispose(Disposition::Briefed { brief });
            }
            answer
        })
    }
}

fn everything_was_said(arguments: &mut Value, talk: &mut BriefContext) {
    for back in arguments["take_back"].as_array_mut().into_iter().flatten() {
        back["quote"] = Value::from(format!("forget it, {}", back["quote"].as_str().unwrap()));
    }
    let of_list = |list: &Value| -> Vec<String> {
        list.as_array().into_iter().flatten().filter_map(|one| one["quote"].as_str()).map(str::to_owned).collect()
    };
    let mut quotes = of_list(&arguments["take_back"]);
    quotes.extend(of_list(&arguments["rules"]));
    quotes.extend(arguments["vip"]["quote"].as_str().map(str::to_owned));
    talk.said = format!("{}. {}", talk.said, quotes.join(". "));
    talk.asked.push(Question { text: "What do VIPs get?".to_owned(), changes: Changes::Audience, options: Vec::new() });
}

/// The approved terms with the prices of this moment, signed by Nora without a look.
async fn sign_anew(tenant: &Tenant, campaign: &CampaignId) {
    let store = &tenant.store;
    let signed = store.campaign_approvals(campaign).await.unwrap().remove(0);
    let mut terms = signed.terms.clone();
    for (product, price) in &mut terms.products {
        *price = tenant.catalog.live(product).unwrap().price;
    }
    if terms == signed.terms {
        return;
    }
    // A moment later than the other, which makes it the newest.
    let now = tenant.clock.now() + std::time::Duration::from_secs(1);
    let id = ApprovalId::from_digest("apc", &Digest::of_bytes(terms.digest().to_string().as_bytes()));
    let until = signed.record.expires_at;
    let opened = store.open_campaign_approval(&id, &terms, &signed.record.authors, until, now).await.unwrap();
    let nora = Principal::User { name: "nora".to_owned(), role: Role::Approver };
    let looked = tenant.look(&opened).await.unwrap();
    let assent = Assent { seen: looked.seen, typed_count: looked.route.typed_count };
    tenant.approve(&opened, &nora, &assent).await.unwrap();
}
