//! Edits without a model, and what is refused.

use kit::BriefId;
use kit::campaign::{OfferChoice, VipTreatment};
use kit::message::Channel;
use mailwright::briefs::ChatError;

use super::*;
use crate::binary::block_on;

#[test]
fn undo_walks_back_and_every_edit_is_a_version() {
    block_on(async {
        let shop = Shop::new().await;
        let script = Script::of([
            update(json!({"title": "First", "include": lapsed()})),
            Says::Words("One."),
            update(json!({"title": "Second"})),
            Says::Words("Two."),
            Says::Words("Three."),
        ]);
        let chat = shop.chat(&script).await;
        let id = chat.start(&mia()).await.unwrap().id;
        assert!(matches!(chat.undo(&id).await, Err(ChatError::NothingToUndo)));
        chat.say(&id, "first, lapsed").await.unwrap();
        chat.say(&id, "second").await.unwrap();
        let sms = chat.view(&id).await.unwrap().brief.assumptions.iter().find(|a| a.text.contains("SMS")).unwrap().id;
        let flipped = chat.flip(&id, sms).await.unwrap();
        assert_eq!(flipped.brief.channels, [Channel::Email, Channel::Sms]);
        assert_eq!(flipped.last_changes().len(), 2, "the channels and the assumption: {:?}", flipped.last_changes());
        let titles =
            |view: &mailwright::briefs::View| (view.brief.title.clone(), view.brief.version, view.brief.channels.len());
        assert_eq!(titles(&chat.undo(&id).await.unwrap()), (Some("Second".into()), 4, 1));
        assert_eq!(titles(&chat.undo(&id).await.unwrap()), (Some("First".into()), 5, 1));
        assert_eq!(titles(&chat.undo(&id).await.unwrap()), (None, 6, 0));
        assert!(matches!(chat.undo(&id).await, Err(ChatError::NothingToUndo)));
        chat.say(&id, "what now?").await.unwrap();
        let told = script.seen().pop().unwrap();
        assert!(told.contains("They undid the last change: the brief is as it was in version 0."), "{told}");
        let parents: Vec<(u32, u32)> =
            chat.view(&id).await.unwrap().versions.iter().map(|v| (v.version, v.parent)).collect();
        assert_eq!(parents, [(1, 0), (2, 1), (3, 2), (4, 1), (5, 0), (6, 0)]);
    });
}

#[test]
fn a_constraint_is_taken_back_by_hand_and_a_forbidden_flip_is_refused() {
    block_on(async {
        let shop = Shop::new().await;
        let script = Script::of([
            update(
                json!({"include": lapsed(), "rules": [{"quote": "no SMS", "rule": {"kind": "no_channel", "channel": "sms"}}]}),
            ),
            Says::Words("Noted."),
        ]);
        let chat = shop.chat(&script).await;
        let id = chat.start(&mia()).await.unwrap().id;
        let view = chat.say(&id, "lapsed, no SMS").await.unwrap();
        let sms = view.brief.assumptions.iter().find(|a| a.text.contains("SMS")).unwrap().id;
        let refused = chat.flip(&id, sms).await.unwrap_err();
        assert_eq!(
            refused.to_string(),
            "it cannot be flipped: C1 (turn 1): \"no SMS\" [no SMS] stands, and the channels hold SMS"
        );
        assert!(matches!(chat.take_back(&id, 7).await, Err(ChatError::NoConstraint(7))));
        let view = chat.take_back(&id, 1).await.unwrap();
        assert_eq!(view.brief.standing().count(), 0);
        assert_eq!(chat.flip(&id, sms).await.unwrap().brief.channels, [Channel::Email, Channel::Sms]);
    });
}

#[test]
fn what_is_unknown_empty_or_unfinished_is_refused_with_what_to_do() {
    block_on(async {
        let shop = Shop::new().await;
        let script = Script::of([
            update(json!({"include": lapsed(), "rules": [{"quote": "nothing for VIP", "rule": {"kind": "words"}}]})),
            Says::Words("Noted."),
        ]);
        let chat = shop.chat(&script).await;
        let nobody = BriefId::new("brief-none").unwrap();
        assert_eq!(
            chat.say(&nobody, "hello").await.unwrap_err().to_string(),
            "there is no brief brief-none; see `mailwright chat list`"
        );
        let id = chat.start(&mia()).await.unwrap().id;
        assert!(matches!(chat.say(&id, "  ").await, Err(ChatError::Words { count: 0, .. })));
        assert!(matches!(chat.say(&id, &"x".repeat(4_001)).await, Err(ChatError::Words { .. })));
        assert!(matches!(chat.choose(&id, 1).await, Err(ChatError::NoChoice(1, _))));
        chat.say(&id, "lapsed, nothing for VIP").await.unwrap();
        let refused = chat.ready(&id).await.unwrap_err().to_string();
        assert!(
            refused.contains("do VIPs get no message at all (excluded), or the message without the offer"),
            "{refused}"
        );
        assert_eq!(chat.list(10).await.unwrap().len(), 1);
    });
}

#[test]
fn text_of_others_gives_no_orders_and_a_hostile_model_changes_nothing_it_may_not() {
    block_on(async {
        let shop = Shop::new().await;
        // A model that does what an injected text would want: an offer that does not exist, words nobody said, other tools.
        let script = Script::of([
            update(json!({"offer": {"choice": "step", "step": "ninety-percent"}})),
            update(json!({"vip": {"treatment": "included", "quote": "VIPs get everything"}})),
            Says::Call("queue_send", json!({"draft": "0123456789ab"})),
            Says::Words("I tried."),
        ]);
        let chat = shop.chat(&script).await;
        let id = chat.start(&mia()).await.unwrap().id;
        let view = chat.say(&id, "backpacks").await.unwrap();
        assert_eq!((view.brief.version, view.brief.vip), (0, VipTreatment::Unstated));
        assert_eq!(view.brief.offer.choice, OfferChoice::Undecided);
        assert_eq!(view.versions, []);
        assert_eq!(view.answer.as_deref(), Some("I tried."));
    });
}
