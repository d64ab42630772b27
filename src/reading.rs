//! The quarantine: words of customers and reviewers, read by a model that can do nothing.
//!
//! Such a call has no tools, sees one text, fenced and masked, and answers in closed words ([`kit::gist`]). Whoever plans or
//! writes sees those words alone. What code saw in a text stays whatever the model says, so that a text which talks it
//! round hides nothing. A shop without such a model goes by code alone.

use std::collections::HashMap;
use std::sync::Arc;

use agent::{FinishReason, Message, ModelRequest, ToolChoice};
use catalog::Catalog;
use kit::fence::ThirdParty;
use kit::gist::{Gist, schema};
use kit::product::ReviewCard;
use kit::{Digest, FlowId, ReviewId, RunId, StoreError};

use crate::intake::{digest_of, written};
use crate::model::ChatModel;
use crate::runs::PrivacyGuard;
use crate::spend::{Purchase, Purse};
use crate::store::{Customer, NewGist, Unread, Wrote};
use crate::tenant::Tenant;

/// How often a text is put to a model that answers with anything but a gist.
const TRIES: u32 = 3;
/// Texts read in one go.
const PAGE: u32 = 20;
/// What these calls are counted under, where models have a spend cap.
pub const READING_FLOW: &str = "reading";

/// What came of a round of reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// So many texts were put to the model; 0: none is left.
    Texts(usize),
    /// The model cannot be asked now: later.
    Later,
}

/// What a model made of one text.
enum Answer {
    Gist(Gist),
    /// Anything but a gist.
    None,
    /// It was not asked, or did not answer.
    Later,
}

impl Tenant {
    /// Puts texts that no model has read yet to the shop's reader: those of customers, then reviews that messages may show.
    ///
    /// # Errors
    /// When storage cannot answer. A model that does not answer is [`Read::Later`].
    pub async fn read_unread(&self) -> Result<Read, StoreError> {
        let Some(reader) = self.reader() else { return Ok(Read::Texts(0)) };
        let mut read = 0;
        for unread in self.store.unread(TRIES, PAGE).await? {
            let Some(words) = self.words_of(&unread).await? else {
                self.store.not_read(&unread, true).await?;
                continue;
            };
            let customer = match &unread.customer {
                Some(customer) => self.store.customer(customer).await?,
                None => None,
            };
            match self.read_with(reader, unread.wrote, &words, unread.words, customer.as_ref()).await? {
                Answer::Gist(gist) => self.store.keep_reading(&unread, &gist, reader.profile()).await?,
                Answer::None => self.store.not_read(&unread, false).await?,
                Answer::Later => return Ok(Read::Later),
            }
            read += 1;
        }
        if read > 0 {
            return Ok(Read::Texts(read));
        }
        self.read_reviews(reader).await
    }

    /// Reviews that messages may show: they are nobody's whom we know, and stand in the catalogue.
    async fn read_reviews(&self, reader: &Arc<dyn ChatModel>) -> Result<Read, StoreError> {
        let mut read = 0;
        for review in self.catalog.reviews_without_gist(PAGE as usize) {
            let (text, words) = (ThirdParty::new(&review.text), review_digest(&review));
            // No usable answer is kept as one that sees nothing: code's stands then.
            let gist = match self.read_with(reader, Wrote::Review, &text, words, None).await? {
                Answer::Gist(gist) => gist,
                Answer::None => Gist::default(),
                Answer::Later => return Ok(Read::Later),
            };
            let row = NewGist {
                wrote: Wrote::Review,
                source: review.id.to_string(),
                customer: None,
                event: None,
                words,
                at: self.clock.now(),
                gist: gist.clone(),
                read_by: Some(reader.profile().to_owned()),
            };
            self.store.put_gists(vec![row]).await?;
            self.catalog.note_gist(&review.id, gist);
            read += 1;
        }
        Ok(Read::Texts(read))
    }

    /// The words as they stand in the event; `None` when they are gone, or others stand there.
    async fn words_of(&self, unread: &Unread) -> Result<Option<ThirdParty>, StoreError> {
        let Some(stored) = self.store.event(&unread.event).await? else { return Ok(None) };
        let Ok(event) = self.parse_stored(&stored) else { return Ok(None) };
        Ok(written(&event).filter(|found| found.digest() == unread.words).map(|found| found.words.clone()))
    }

    async fn read_with(
        &self,
        reader: &Arc<dyn ChatModel>,
        wrote: Wrote,
        words: &ThirdParty,
        digest: Digest,
        customer: Option<&Customer>,
    ) -> Result<Answer, StoreError> {
        let text = format!("A {}:\n{}", wrote.as_str(), words.fenced());
        let asked = [Message::System { text: self.release.reading.clone() }, Message::User { text }];
        let messages = PrivacyGuard::for_person(customer).mask(&asked).into_owned();
        let form = schema();
        let request =
            ModelRequest { messages: &messages, tools: Vec::new(), tool_choice: ToolChoice::Auto, form: Some(&form) };
        let bad = |e: kit::InvalidId| StoreError::Corrupt { what: "reading".to_owned(), why: e.to_string() };
        let (run, flow) = (RunId::from_digest(READING_FLOW, &digest), FlowId::new(READING_FLOW).map_err(bad)?);
        let purchase =
            Purchase { run: &run, flow: &flow, profile: reader.profile(), quote: reader.quote(&request, &[]) };
        let purse = Purse::new(self.store.clone(), self.caps().clone());
        let ticket = match purse.reserve(purchase, self.clock.now()).await? {
            Ok(ticket) => ticket,
            Err(refusal) => {
                tracing::warn!(profile = reader.profile(), %refusal, "a text was not read");
                return Ok(Answer::Later);
            }
        };
        let answer = reader.complete(&request, &[]).await;
        purse.settle(ticket, &answer).await?;
        Ok(match answer {
            Ok(reply) if reply.finish == FinishReason::Refused => Answer::None,
            Ok(reply) => match Gist::parse(reply.text.as_deref().unwrap_or_default()) {
                Ok(gist) => Answer::Gist(gist),
                Err(error) => {
                    tracing::warn!(profile = reader.profile(), %error, "a text was not read");
                    Answer::None
                }
            },
            Err(error) => {
                tracing::warn!(profile = reader.profile(), %error, "texts are read later");
                Answer::Later
            }
        })
    }
}

/// The digest that a review's words are known by.
fn review_digest(review: &ReviewCard) -> Digest {
    digest_of(review.id.as_str(), &review.text)
}

/// Gives a catalogue what a model saw in its reviews, where their words are still the same.
pub(crate) fn recall_reviews(catalog: &Catalog, gists: &HashMap<(ReviewId, Digest), Gist>) {
    for review in catalog.products().flat_map(|product| product.reviews.iter()) {
        if let Some(gist) = gists.get(&(review.id.clone(), review_digest(review))) {
            catalog.note_gist(&review.id, gist.clone());
        }
    }
}
