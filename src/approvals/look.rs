//! What somebody saw, and what has changed since: a decision names what it is about.

use std::fmt;
use std::str::FromStr;

use approval::{Route, Signature};
use kit::campaign::CampaignTerms;
use kit::message::{ApprovalRecord, ApprovalState, DraftRecord, Rendered};
use kit::{ApprovalId, Digest, Timestamp};
use serde::{Deserialize, Serialize};

use super::DecideError;
use super::ask::is_regulated;
use crate::store::{Approval, CampaignApproval};
use crate::tenant::Tenant;

/// What is decided about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// One person's message.
    Message(Box<Approval>),
    /// A campaign.
    Campaign(Box<CampaignApproval>),
}

impl Asked {
    /// What kit compares at clearance.
    pub fn record(&self) -> &ApprovalRecord {
        match self {
            Self::Message(approval) => &approval.record,
            Self::Campaign(approval) => &approval.record,
        }
    }

    /// Counts up with every change.
    pub fn version(&self) -> u32 {
        match self {
            Self::Message(approval) => approval.version,
            Self::Campaign(approval) => approval.version,
        }
    }

    /// Since when.
    pub fn created_at(&self) -> Timestamp {
        match self {
            Self::Message(approval) => approval.created_at,
            Self::Campaign(approval) => approval.created_at,
        }
    }
}

/// What somebody saw: the version of the row, and digests of the terms that are signed, of the message as it would leave, and
/// of what signing takes. Apart from each other, so that what changed can be named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Seen {
    version: u32,
    terms: String,
    shown: String,
    takes: String,
}

/// Characters of each digest in a [`Seen`]: enough to tell two of them apart.
const DIGEST_CHARS: usize = 12;

/// A text that is no [`Seen`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is nothing that `mailwright approvals show` prints behind `seen`; it looks like 1-0123456789ab-0123456789ab-0123456789ab"
)]
pub struct InvalidSeen;

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}-{}", self.version, self.terms, self.shown, self.takes)
    }
}

impl FromStr for Seen {
    type Err = InvalidSeen;

    fn from_str(text: &str) -> Result<Self, InvalidSeen> {
        let mut parts = text.trim().split('-');
        let version = parts.next().and_then(|version| version.parse().ok()).ok_or(InvalidSeen)?;
        let mut digest = || {
            let part = parts.next().filter(|part| part.len() == DIGEST_CHARS);
            part.filter(|part| part.bytes().all(|b| b.is_ascii_hexdigit())).map(str::to_owned).ok_or(InvalidSeen)
        };
        let seen = Self { version, terms: digest()?, shown: digest()?, takes: digest()? };
        if parts.next().is_some() { Err(InvalidSeen) } else { Ok(seen) }
    }
}

impl From<Seen> for String {
    fn from(seen: Seen) -> Self {
        seen.to_string()
    }
}

impl TryFrom<String> for Seen {
    type Error = InvalidSeen;

    fn try_from(text: String) -> Result<Self, InvalidSeen> {
        text.parse()
    }
}

/// A request as it is now.
#[derive(Debug, Clone)]
pub struct Looked {
    /// What is decided about.
    pub asked: Asked,
    /// What it takes.
    pub route: Route,
    /// What was signed.
    pub signatures: Vec<Signature>,
    /// The message as it would leave now, or in words why it could not; `None` of a campaign.
    pub rendered: Option<Result<Rendered, String>>,
    /// It shows goods that a law regulates: its author never approves it.
    pub regulated: bool,
    /// What a decision about it names.
    pub seen: Seen,
}

impl Looked {
    /// What has changed since somebody saw this, in words; empty when nothing has.
    pub fn since(&self, seen: &Seen) -> Vec<String> {
        let mut what = Vec::new();
        let state = format!("{:?}", self.asked.record().state).to_lowercase();
        if self.seen.version != seen.version {
            what.push(format!("it is {state} now (version {}, you saw {})", self.seen.version, seen.version));
        }
        if self.seen.terms != seen.terms {
            what.push("the words, the audience, the offer, the window or the rules are others".to_owned());
        }
        if self.seen.shown != seen.shown {
            what.push(match &self.rendered {
                Some(Ok(message)) => {
                    format!(
                        "the message would say something else than what you saw; its subject is `{}`",
                        message.subject
                    )
                }
                Some(Err(why)) => format!("the message could not leave as things are: {why}"),
                None => "the campaign was moved on".to_owned(),
            });
        }
        if self.seen.takes != seen.takes {
            what.push("the policy asks for other signatures than it did".to_owned());
        }
        what
    }
}

impl Tenant {
    /// A request as it is now, with what a decision about it has to name.
    ///
    /// # Errors
    /// [`DecideError::Unknown`], or when storage cannot answer.
    pub async fn look(&self, id: &ApprovalId) -> Result<Looked, DecideError> {
        let now = self.clock.now();
        // Before the request itself: a signature that comes in between shows as its state, or is a conflict when signing.
        let signatures = self.store.signatures(id).await?;
        let asked = match self.store.approval(id).await? {
            Some(approval) => Asked::Message(Box::new(approval)),
            None => match self.store.campaign_approval(id).await? {
                Some(approval) => Asked::Campaign(Box::new(approval)),
                None => return Err(DecideError::Unknown(id.clone())),
            },
        };
        let rendered = match &asked {
            Asked::Message(approval) => Some(self.preview(approval).await?),
            Asked::Campaign(_) => None,
        };
        let shown = match (&rendered, &asked) {
            (Some(Ok(message)), _) => Digest::of_parts(["message", &message.subject, &message.text, &message.html]),
            (Some(Err(why)), _) => Digest::of_parts(["no message", why]),
            (None, Asked::Campaign(approval)) => {
                let campaign = self.store.campaign(&approval.campaign).await?;
                let state = campaign.map_or("gone", |campaign| campaign.state.as_str());
                Digest::of_parts(["campaign", approval.campaign.as_str(), state])
            }
            (None, Asked::Message(_)) => Digest::of_bytes(b""),
        };
        let regulated = match &asked {
            Asked::Message(approval) => is_regulated(&approval.reasons),
            Asked::Campaign(approval) => is_regulated(&self.campaign_reasons(approval).await?),
        };
        let route = self.route(&asked, now).await?;
        let seen = Seen {
            version: asked.version(),
            terms: asked.record().envelope.short(),
            shown: shown.short(),
            takes: takes(&route).short(),
        };
        Ok(Looked { asked, route, signatures, rendered, regulated, seen })
    }

    /// What took the place of a request that was edited or asked again, and how it differs.
    pub(super) async fn replacement(&self, asked: &Asked) -> Result<Option<DecideError>, DecideError> {
        let record = asked.record();
        if let Some(gone) = self.stood_in(asked).await? {
            return Ok(Some(gone));
        }
        if record.state != ApprovalState::Superseded {
            return Ok(None);
        }
        Ok(match asked {
            Asked::Message(old) => {
                let all = self.store.approvals_of(&old.run).await?;
                let new = all.into_iter().rfind(|a| a.created_at >= old.created_at && a.record.id != record.id);
                new.map(|new| DecideError::Replaced {
                    id: record.id.clone(),
                    how: format!(
                        "edited by {}",
                        record.decided_by.as_ref().map_or_else(String::new, ToString::to_string)
                    ),
                    what: draft_changes(&old.draft, &new.draft),
                    successor: new.record.id,
                })
            }
            Asked::Campaign(old) => {
                let all = self.store.campaign_approvals(&old.campaign).await?;
                let new = all.into_iter().find(|a| a.created_at >= old.created_at && a.record.id != record.id);
                new.map(|new| DecideError::Replaced {
                    id: record.id.clone(),
                    how: "asked about again".to_owned(),
                    what: terms_changes(&old.terms, &new.terms),
                    successor: new.record.id,
                })
            }
        })
    }
}

/// What signing takes, without who may do it now: names come and go with holidays.
fn takes(route: &Route) -> Digest {
    let sections = route.sections.iter().map(|section| format!("{} {}", section.name, section.because.join(" ")));
    let numbers = format!("{} {:?}", route.people, route.typed_count);
    Digest::of_parts(sections.chain([numbers]).collect::<Vec<_>>().iter().map(String::as_str))
}

/// What an edit changed, in words.
fn draft_changes(old: &DraftRecord, new: &DraftRecord) -> Vec<String> {
    let (old_facts, new_facts) = (&old.facts, &new.facts);
    let (old, new) = (&old.draft, &new.draft);
    let mut what = Vec::new();
    let subject = |subjects: &[String]| subjects.first().cloned().unwrap_or_default();
    if subject(&old.subjects) != subject(&new.subjects) {
        what.push(format!("the subject `{}` is `{}`", subject(&old.subjects), subject(&new.subjects)));
    }
    if old.preheader != new.preheader {
        what.push(format!("the preheader `{}` is `{}`", old.preheader, new.preheader));
    }
    let same = old.blocks.iter().zip(&new.blocks).filter(|(old, new)| old == new).count();
    let others = old.blocks.len().max(new.blocks.len()).saturating_sub(same);
    if others > 0 {
        what.push(format!("{others} block(s) of the body are others"));
    }
    if old_facts != new_facts {
        what.push("the facts it cites are others".to_owned());
    }
    if what.is_empty() {
        what.push("the message is the same; its terms are others".to_owned());
    }
    what
}

/// What is other in a campaign that was asked about again, in words.
fn terms_changes(old: &CampaignTerms, new: &CampaignTerms) -> Vec<String> {
    let mut what = Vec::new();
    let words = old.classes.iter().filter(|class| !new.classes.contains(class)).count();
    if words > 0 || old.classes.len() != new.classes.len() {
        what.push(format!("{} of {} classes are others", words.max(1), new.classes.len()));
    }
    if old.audience != new.audience {
        what.push(format!("the audience: {} people, it was {}", new.recipients, old.recipients));
    }
    let prices = old.products.iter().filter(|(product, price)| new.products.get(product) != Some(price)).count();
    if prices > 0 || old.products.len() != new.products.len() {
        what.push(format!("{prices} product(s) or prices"));
    }
    if (old.not_before, old.not_after) != (new.not_before, new.not_after) {
        what.push(format!("the window: {} to {}", new.not_before, new.not_after));
    }
    if old.rules != new.rules || old.release != new.release {
        what.push("the rules or the release".to_owned());
    }
    what
}
