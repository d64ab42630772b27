//! An audience in numbers.

use std::collections::BTreeMap;

use kit::campaign::{AudienceCount, Exclusion, ExclusionReason};
use kit::{StoreError, Timestamp};

use crate::judge::{Question, Verdict, judge};
use crate::member::{Crowd, Member};

/// Counts members one by one.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    customers: u32,
    recipients: u32,
    vips: u32,
    offered: u32,
    excluded: BTreeMap<ExclusionReason, u32>,
}

impl Tally {
    /// Counts one member in, and says what became of them.
    pub fn add(&mut self, question: &Question<'_>, member: &Member) -> Verdict {
        self.customers = self.customers.saturating_add(1);
        let verdict = judge(question, member);
        match verdict {
            Verdict::Outside => {}
            Verdict::Excluded(reason) => {
                let people = self.excluded.entry(reason).or_default();
                *people = people.saturating_add(1);
            }
            Verdict::Recipient { offered, .. } => {
                self.recipients = self.recipients.saturating_add(1);
                self.vips = self.vips.saturating_add(u32::from(member.vip));
                self.offered = self.offered.saturating_add(u32::from(offered));
            }
        }
        verdict
    }

    /// Recipients in whose message the offer may be.
    pub fn offered(&self) -> u32 {
        self.offered
    }

    /// The result.
    pub fn count(&self, as_of: Timestamp) -> AudienceCount {
        let excluded: Vec<Exclusion> =
            self.excluded.iter().map(|(reason, people)| Exclusion { reason: *reason, people: *people }).collect();
        let out: u32 = excluded.iter().map(|e| e.people).sum();
        AudienceCount {
            customers: self.customers,
            matched: self.recipients.saturating_add(out),
            recipients: self.recipients,
            vips: self.vips,
            excluded,
            as_of,
        }
    }
}

/// Counts a whole crowd. `each` sees every member with its verdict, for what is to be added up besides.
///
/// # Errors
/// When the store cannot answer.
pub async fn count(
    crowd: &dyn Crowd,
    question: &Question<'_>,
    mut each: impl FnMut(&Member, Verdict) + Send,
) -> Result<Tally, StoreError> {
    let mut tally = Tally::default();
    let mut after = None;
    loop {
        let page = crowd.page(question.shop, after.as_ref(), question.now).await?;
        let Some(last) = page.last() else { return Ok(tally) };
        after = Some(last.customer.clone());
        for member in &page {
            let verdict = tally.add(question, member);
            each(member, verdict);
        }
    }
}
