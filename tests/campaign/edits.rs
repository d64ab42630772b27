//! A person edits a class: the rules run again, what was signed does not cover it, and nobody approves their own words.

use ::campaign::{Change, ClassEdit};
use approval::DecisionError;
use kit::campaign::ClassId;
use kit::message::ApprovalState;
use mailwright::campaigns::CampaignError;
use mailwright::store::CampaignState;

use super::*;

const PREHEADER: &str = "Carried by people who walk for days, and made to be mended.";

fn sam() -> Principal {
    Principal::User { name: "sam".to_owned(), role: Role::Approver }
}

fn preheader(words: &str) -> ClassEdit {
    ClassEdit { preheader: Some(words.to_owned()), ..ClassEdit::default() }
}

/// An English class that mails, with what is written for it.
async fn english(shop: &Shop, id: &CampaignId) -> (ClassId, kit::campaign::ClassCopy) {
    let rows = shop.tenant.store.campaign_classes(id).await.unwrap();
    let copies = rows.into_iter().map(|row| (row.id, row.copy.unwrap()));
    let english =
        |copy: &kit::campaign::ClassCopy| copy.mail.as_ref().is_some_and(|m| m.draft.language == Language::EN);
    copies.into_iter().find(|(_, copy)| english(copy)).unwrap()
}

#[test]
fn an_edit_voids_what_was_signed_and_its_editor_cannot_sign_it() {
    block_on(async {
        let shop = Shop::open(120).await;
        let tenant = &shop.tenant;
        let (id, first) = shop.asked(&shop.brief()).await;
        shop.approve(&first, &nora()).await.unwrap();
        let (class, before) = english(&shop, &id).await;

        let edited = tenant.edit_class(&id, &class, &sam(), &preheader(PREHEADER)).await.unwrap();
        let was = before.mail.as_ref().unwrap().draft.preheader.clone();
        let change =
            Change { place: "mail preheader".to_owned(), before: Some(was), after: Some(PREHEADER.to_owned()) };
        assert_eq!(edited.changes, vec![change]);

        // What nora signed does not count any more.
        let old = tenant.store.campaign_approval(&first).await.unwrap().unwrap();
        let new = tenant.store.campaign_approval(&edited.approval).await.unwrap().unwrap();
        assert_eq!(old.record.state, ApprovalState::Superseded);
        assert_eq!(new.record.state, ApprovalState::Pending);
        assert_ne!(old.terms.digest(), new.terms.digest());
        let early = tenant.schedule_campaign(&id, &mira()).await.unwrap_err();
        assert!(matches!(early, CampaignError::State(CampaignState::Asked, _)), "{early}");

        // Nobody approves their own words: not the editor, not who shaped the campaign.
        assert!(new.record.authors.contains("user:sam") && new.record.authors.contains("user:mira"));
        for author in [sam(), mira()] {
            let refused = shop.approve(&edited.approval, &author).await.unwrap_err();
            assert!(matches!(refused, DecideError::Rule(DecisionError::OwnWork { .. })), "{refused:?}");
        }
        shop.approve(&edited.approval, &nora()).await.unwrap();
        tenant.schedule_campaign(&id, &mira()).await.unwrap();
        let late = tenant.edit_class(&id, &class, &sam(), &preheader("Too late for other words now.")).await;
        assert!(matches!(late, Err(CampaignError::State(CampaignState::Scheduled, _))), "{late:?}");

        shop.clock.set(THURSDAY_EVENING.parse().unwrap());
        tenant.run_campaign(&id, &|_| {}).await.unwrap();
        let recipients = tenant.store.recipients(&id, 0, 10_000).await.unwrap();
        let of_class = recipients.iter().filter(|r| r.class == class && r.channel == Channel::Email).count();
        let parse = |mail: &String| {
            let parsed = mail_parser::MessageParser::new().parse(mail.as_bytes()).unwrap();
            parsed.body_html(0).unwrap().contains(PREHEADER)
        };
        assert!(of_class > 0);
        assert_eq!(shop.files("new").values().filter(|mail| parse(mail)).count(), of_class);
    });
}

#[test]
fn words_that_break_a_rule_change_nothing() {
    block_on(async {
        let shop = Shop::open(90).await;
        let tenant = &shop.tenant;
        let (id, approval) = shop.asked(&shop.brief()).await;
        let (class, before) = english(&shop, &id).await;
        let draft = &before.mail.as_ref().unwrap().draft;
        let without_product = draft.blocks.iter().filter(|b| !matches!(b, kit::message::Block::Product { .. }));
        let line = draft.subjects[0].clone();
        let bad: [(ClassEdit, &str); 5] = [
            (preheader("Only 3 left, act now or you will miss out!"), "mail"),
            (
                ClassEdit { blocks: Some(without_product.cloned().collect()), ..ClassEdit::default() },
                "exactly one product",
            ),
            (ClassEdit { subjects: Some(vec![line.clone(), line]), ..ClassEdit::default() }, "nearly the same"),
            (ClassEdit { subjects: Some(Vec::new()), ..ClassEdit::default() }, "structure.subjects"),
            (preheader(&draft.preheader), "changes nothing"),
        ];
        for (edit, told) in bad {
            let refused = tenant.edit_class(&id, &class, &sam(), &edit).await.unwrap_err();
            let words = refused.to_string();
            assert!(matches!(refused, CampaignError::Edit(_)), "{words}");
            assert!(words.contains(told) || told == "mail" && words.contains("preheader"), "{words}");
        }
        assert_eq!(english(&shop, &id).await, (class, before));
        let stands = tenant.store.campaign_approval(&approval).await.unwrap().unwrap();
        assert_eq!(stands.record.state, ApprovalState::Pending);
    });
}

#[test]
fn of_two_editors_who_saw_the_same_words_the_second_is_told() {
    block_on(async {
        let shop = Shop::open(90).await;
        let (id, _) = shop.asked(&shop.brief()).await;
        let (class, seen) = english(&shop, &id).await;
        shop.tenant.edit_class(&id, &class, &sam(), &preheader(PREHEADER)).await.unwrap();
        let (_, sams) = english(&shop, &id).await;
        let late = shop.tenant.store.edit_class_copy(&id, &class, &seen, &seen, "user:nora", shop.clock.now()).await;
        assert!(matches!(late, Err(kit::StoreError::Conflict(_))), "{late:?}");
        assert_eq!(english(&shop, &id).await.1, sams, "what the first wrote stands");
    });
}
