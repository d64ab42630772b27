//! Text messages through the public door: what readers get, what it costs, and what is refused.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod support;

use kit::message::{Block, Channel, DraftRecord};
use kit::person::MergeName;
use kit::phone::Phone;
use kit::{Language, sms};
use mailwright_content::{RenderError, SmsIdentity, SmsLetter, SmsReader, render_sms};
use support::*;

fn identity() -> SmsIdentity {
    SmsIdentity { sender: "+353850000000".into(), link_base: "https://fernandfell.example/s".into() }
}

fn record(language: Language, text: &str) -> DraftRecord {
    let mut record = everything(language);
    record.draft.channel = Channel::Sms;
    record.draft.subjects.clear();
    record.draft.preheader.clear();
    let cta = Block::Cta { fact: id("f201"), label: "See the boots".into() };
    record.draft.blocks = vec![Block::Paragraph { text: text.into() }, cta];
    record
}

fn sent(record: &DraftRecord, name: Option<&str>, country: &str) -> Result<SmsLetter, RenderError> {
    let reader = SmsReader {
        first_name: name.map(|n| MergeName::parse(n).unwrap()),
        language: record.draft.language.clone(),
        to: Phone::parse("+353850123456").unwrap(),
        country: Some(country.into()),
    };
    render_sms(record, &shop(), &identity(), &reader, &utm(), 2)
}

#[test]
fn a_text_message_says_who_writes_what_for_and_how_to_stop() {
    let record =
        record(Language::EN, "Hi {{customer.first_name}}, the {{f201.title}} can be resoled – {{f201.price}}.");
    let letter = sent(&record, Some("Aoife"), "IE").unwrap();
    let short = format!("https://fernandfell.example/s/{}", letter.link.code);
    assert_eq!(
        letter.message.body,
        format!("Fern & Fell: Hi Aoife, the Ridgeline Boots can be resoled - €189.00. {short} Reply STOP to opt out")
    );
    assert_eq!(letter.message.parts, 1);
    assert_eq!(letter.message.parts, sms::segments(&letter.message.body).parts);
    assert!(
        letter.link.url.starts_with("https://fernandfell.example/p/ridgeline-boots?colour=moss&utm_source=mailwright")
    );
    assert_eq!(letter.link.code.len(), 8);
    // Everybody gets the same link, and a reader without a name a sentence that reads well.
    let nameless = sent(&record, None, "IE").unwrap();
    assert_eq!(nameless.link, letter.link);
    assert!(nameless.message.body.contains(": Hi, the Ridgeline"), "{}", nameless.message.body);
    assert!(
        sent(&record, None, "US")
            .unwrap()
            .message
            .body
            .ends_with("Msg&data rates may apply. HELP for help, STOP to opt out")
    );
}

#[test]
fn the_frame_counts_and_nothing_is_cut() {
    let long = record(Language::EN, &"The sole can be replaced. ".repeat(9));
    let expected = sent(&long, None, "IE").unwrap_err();
    assert!(matches!(expected, RenderError::TooManyParts { parts: 3, most: 2, .. }), "{expected:?}");
    assert!(expected.is_mendable());
    // One letter beyond GSM-7 makes the whole message costlier.
    let parts = |text: &str| sent(&record(Language::DE, text), None, "DE").unwrap().message.parts;
    assert_eq!((parts("Die Sohle ist erneuerbar."), parts("Die Sohle ist ernêuerbar.")), (1, 2));
}

#[test]
fn other_blocks_and_channels_are_refused() {
    let mut two = record(Language::EN, "The sole can be replaced.");
    two.draft.blocks.push(Block::Heading { text: "Boots".into() });
    assert_eq!(sent(&two, None, "IE"), Err(RenderError::SmsShape));
    assert_eq!(sent(&everything(Language::EN), None, "IE"), Err(RenderError::Channel(Channel::Email)));
}

#[test]
fn a_sender_that_cannot_be_replied_to_gives_a_link_to_stop_it() {
    let named = SmsIdentity { sender: "FernFell".into(), ..identity() };
    for (language, words) in [(Language::EN, "Opt out:"), (Language::DE, "Abmelden:")] {
        let record = record(language.clone(), "{{f201.title}}");
        let reader = SmsReader {
            first_name: None,
            language,
            to: Phone::parse("+353850123456").unwrap(),
            country: Some("IE".into()),
        };
        let letter = render_sms(&record, &shop(), &named, &reader, &utm(), 2).unwrap();
        assert!(letter.message.body.ends_with(&format!(" {words} https://fernandfell.example/s/stop")), "{letter:?}");
    }
}
