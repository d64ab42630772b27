//! What is answered to somebody who replies to a text message. Fixed words: no model is asked, no person is named.

use kit::{Language, sms};

use crate::identity::ShopIdentity;
use crate::words::words;

/// What an answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmsAnswer {
    /// Nothing comes any more; the one confirmation that a stop allows (47 CFR 64.1200(a)(12)).
    Stopped,
    /// Messages come again.
    Started,
    /// They do not, and how they would.
    NotStarted,
    /// Who writes and how to reach them (CTIA handbook), also to those who are opted out.
    Help,
}

/// The answer in a language; `None` when there are no words in it.
pub fn sms_answer(answer: SmsAnswer, shop: &ShopIdentity, language: &Language) -> Option<String> {
    let words = words(language)?;
    let text = match answer {
        SmsAnswer::Stopped => words.sms_stopped.to_owned(),
        SmsAnswer::Started => words.sms_started.to_owned(),
        SmsAnswer::NotStarted => words.sms_not_started.replace("{site}", &shop.site),
        SmsAnswer::Help => words.sms_help.replace("{contact}", shop.reply_to.reveal()),
    };
    Some(sms::plain(&format!("{}: {text}", shop.name)))
}
