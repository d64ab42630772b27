//! Who reads: the merge data of one person.

use content::{Reader, Utm};
use kit::StoreError;
use kit::message::{DraftRecord, Rendered};
use kit::person::MergeName;
use kit::tool::{NoSend, Subject};

use super::{Delivery, no_address};

impl Delivery {
    pub(crate) async fn reader(&self, subject: &Subject) -> Result<Result<Reader, NoSend>, StoreError> {
        let customer = match self.customer(subject).await? {
            Ok(customer) => customer,
            Err(no_send) => return Ok(Err(no_send)),
        };
        let Some(to) = customer.email else { return Ok(Err(no_address())) };
        let why = self.release.flows.get(&subject.flow).and_then(|flow| flow.rules.why.get(&subject.language)).cloned();
        let Some(why) = why else {
            let reason = format!(
                "flow {} does not say in `{}` why the reader gets its messages",
                subject.flow, subject.language
            );
            return Ok(Err(NoSend { code: "no_reason".to_owned(), reason }));
        };
        let unsubscribe_token = self.unsubscribe.token(self.store.id(), &subject.customer);
        // Before the mail is made: a link that nobody answers must not leave.
        self.store.remember_link(&unsubscribe_token, &subject.customer).await?;
        Ok(Ok(Reader {
            first_name: customer.first_name.as_deref().and_then(MergeName::parse),
            language: subject.language.clone(),
            to,
            unsubscribe_token,
            why,
        }))
    }

    /// The message as it would leave now, or in words why it could not.
    pub(crate) async fn preview(
        &self,
        subject: &Subject,
        draft: &DraftRecord,
    ) -> Result<Result<Rendered, String>, StoreError> {
        let reader = match self.reader(subject).await? {
            Ok(reader) => reader,
            Err(no_send) => return Ok(Err(no_send.reason)),
        };
        let rendered = content::render(draft, &self.release.shop.identity, &reader, &self.utm(subject), 0);
        Ok(rendered.map_err(|error| error.to_string()))
    }

    pub(crate) fn utm(&self, subject: &Subject) -> Utm {
        let campaign = self
            .release
            .flows
            .get(&subject.flow)
            .map_or_else(|| subject.flow.to_string(), |flow| flow.rules.utm_campaign.clone());
        Utm { source: "mailwright".to_owned(), medium: "email".to_owned(), campaign }
    }
}
