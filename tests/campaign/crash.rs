//! Killed in the middle of sending: the next run goes on, and each person has exactly one message.

use std::collections::BTreeSet;

use super::*;
use crate::binary::Folder;

/// Places in the sending of a campaign at which the process dies.
const PLACES: [&str; 6] =
    ["before_reserve", "after_reserve", "after_begin_attempt", "after_deliver", "after_settle", "campaign_before_note"];

#[test]
fn killed_at_any_place_everybody_has_exactly_one_message() {
    let folder = Folder::empty();
    let (id, expected) = block_on(async {
        let shop = Shop::open_in(folder.path(), 60).await;
        let id = shop.scheduled(&shop.by_sms()).await;
        let recipients = shop.tenant.store.recipients(&id, 0, 10_000).await.unwrap();
        (id.to_string(), recipients.len())
    });
    for place in PLACES {
        let mut command = folder.command(THURSDAY_EVENING, &["campaigns", "run", &id]);
        let died = command.env("MAILWRIGHT_FAILPOINT", place).output().unwrap();
        assert!(!died.status.success(), "{place} was not met: {died:?}");
    }
    let told = folder.json(THURSDAY_EVENING, &["campaigns", "run", &id]);
    assert_eq!(told["next"], serde_json::Value::Null, "{told}");
    let (mails, texts) = (read(&folder.path().join("outbox/new")), read(&folder.path().join("outbox/sms")));
    assert_eq!(mails.len() + texts.len(), expected);
    let to = |mail: &str| mail.lines().find_map(|l| l.strip_prefix("To: ").map(str::to_owned)).unwrap();
    assert_eq!(mails.values().map(|m| to(m)).collect::<BTreeSet<_>>().len(), mails.len(), "somebody has two");
    assert_eq!(folder.rows("SELECT DISTINCT state FROM sends"), ["sent"]);
    assert_eq!(folder.rows("SELECT DISTINCT state FROM campaign_recipients"), ["sent"]);
    assert_eq!(folder.rows("SELECT state FROM campaigns"), ["done"]);
    assert_eq!(folder.rows("SELECT COUNT(*) || '' FROM sends"), [expected.to_string()]);
}
