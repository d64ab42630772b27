//! The offline model in a conversation: it asks form questions and gets there.

use kit::OfferStepId;
use kit::campaign::{OfferChoice, VipTreatment};
use kit::message::Channel;

use super::*;
use crate::binary::block_on;

async fn offline(shop: &Shop) -> Chat {
    Chat::new(shop.tenant(Vec::new()).await, Arc::new(Silent))
}

#[test]
fn twelve_turns_of_simple_phrases_end_in_a_ready_brief() {
    block_on(async {
        let shop = Shop::new().await;
        let chat = offline(&shop).await;
        let id = chat.start(&mia()).await.unwrap().id;
        let said = [
            "back to school, backpacks, 20 % for lapsed, nothing for VIP, Thursday",
            "VIPs: full price, fifteen percent",
            "tone: friendly and plain",
            "no SMS",
            "Friday at 9:00",
            "hello there",
            "10 %",
            // The contradiction.
            "SMS as well",
            "holdout 5 %",
            "lapsed and at risk",
            "no tents",
            "title: School is back",
        ];
        let mut answers = Vec::new();
        for words in said {
            let view = chat.say(&id, words).await.unwrap();
            answers.push(format!("> {words}\n{}\n", view.answer.unwrap_or_default()));
        }
        insta::assert_snapshot!("what_the_offline_model_answers", answers.join("\n"));
        let view = chat.view(&id).await.unwrap();
        let brief = &view.brief;
        assert!(brief.is_ready(), "{:?}", brief.gaps);
        assert_eq!((brief.title.as_deref(), brief.vip), (Some("School is back"), VipTreatment::Undiscounted));
        assert_eq!(brief.offer.choice, OfferChoice::Step { step: OfferStepId::new("ten-percent").unwrap() });
        assert_eq!((brief.channels.as_slice(), brief.holdout_percent), ([Channel::Email].as_slice(), 5));
        let schedule = brief.schedule.as_ref().unwrap();
        assert_eq!((schedule.on.to_string().as_str(), schedule.at.to_string().as_str()), ("2026-11-27", "09:00:00"));
        assert!(!brief.products.is_empty());
        let rules: Vec<&str> = brief.standing().map(|c| c.quote.as_str()).collect();
        assert_eq!(rules, ["nothing for VIP", "no SMS", "no tents"]);
    });
}

/// What is written down must be all that was said, and said of those who were meant.
#[test]
fn what_the_rules_cannot_hold_is_told_back_and_not_written_down_in_part() {
    block_on(async {
        let shop = Shop::new().await;
        let chat = offline(&shop).await;
        let id = chat.start(&mia()).await.unwrap().id;
        let asked = chat.say(&id, "backpacks, 20 % for lapsed, nothing for VIP, Thursday").await.unwrap();
        assert_eq!(asked.questions.len(), 2, "about VIPs and about the step");

        for (words, told_back) in [
            ("no discount over 10 euro", "\"no discount over 10 euro\""),
            // It may answer either question.
            ("without a discount", "\"without a discount\""),
        ] {
            let view = chat.say(&id, words).await.unwrap();
            assert!(view.answer.as_deref().unwrap().contains(told_back), "{:?}", view.answer);
            assert_eq!((view.brief.version, view.brief.vip), (1, VipTreatment::Unstated), "{words}");
        }
        let other_people = chat.say(&id, "leave out people who bought a tent in May").await.unwrap();
        assert_eq!(other_people.brief.vip, VipTreatment::Unstated, "they are not VIPs");

        let answered = chat.say(&id, "fifteen percent, leave them out").await.unwrap();
        assert_eq!(answered.brief.vip, VipTreatment::Excluded);
        assert_eq!(
            answered.brief.offer.choice,
            OfferChoice::Step { step: OfferStepId::new("fifteen-percent").unwrap() }
        );
    });
}

/// What a first turn brings into the brief: product ids by category.
async fn shown(chat: &Chat, words: &str) -> (Vec<String>, String) {
    let id = chat.start(&mia()).await.unwrap().id;
    let view = chat.say(&id, words).await.unwrap();
    let mut categories: Vec<String> = view.brief.products.iter().map(|p| p.category.to_string()).collect();
    categories.dedup();
    (categories, view.answer.unwrap_or_default())
}

#[test]
fn goods_are_what_the_marketers_words_name_and_nothing_that_merely_speaks_of_it() {
    block_on(async {
        let shop = Shop::new().await;
        let chat = offline(&shop).await;
        for (words, root) in [
            ("backpacks for lapsed", "packs/"),
            ("back to school, Rucksäcke, lapsed", "packs/"),
            ("tents, Thursday", "camping/tents"),
            ("Zelte für inaktive Kunden", "camping/tents"),
            ("sleeping bags, no discount", "camping/sleeping-bags"),
            ("headlamps for lapsed", "lights/headlamps"),
            ("hiking boots, 10 %", "footwear/hiking-boots"),
            ("merino socks", "clothing/socks"),
            ("water bottles, lapsed", "water/bottles"),
        ] {
            let (categories, answer) = shown(&chat, words).await;
            assert!(!categories.is_empty(), "{words}: {answer}");
            assert!(categories.iter().all(|category| category.starts_with(root)), "{words}: {categories:?}");
        }
    });
}

#[test]
fn what_the_shop_does_not_sell_is_asked_about() {
    block_on(async {
        let shop = Shop::new().await;
        let chat = offline(&shop).await;
        for words in
            ["bicycles for lapsed, Thursday", "back to school, laptops, lapsed", "Fahrräder für inaktive Kunden"]
        {
            let (categories, answer) = shown(&chat, words).await;
            assert_eq!(categories, Vec::<String>::new(), "{words}");
            let asked = answer.contains("Which category or product id") || answer.contains("Welche Kategorie");
            assert!(asked, "{words}: {answer}");
        }
        // Once the brief shows something, words that are no goods are nobody's question.
        let id = chat.start(&mia()).await.unwrap().id;
        chat.say(&id, "tents for lapsed").await.unwrap();
        let view = chat.say(&id, "gently reminding").await.unwrap();
        assert!(!view.answer.unwrap().contains("I found no goods"));
    });
}

#[test]
fn a_goal_alone_gives_three_briefs_to_choose_from() {
    block_on(async {
        let shop = Shop::new().await;
        let chat = offline(&shop).await;
        let id = chat.start(&mia()).await.unwrap().id;
        let view = chat.say(&id, "I want more second purchases").await.unwrap();
        assert_eq!(view.ended, agent::TurnEnd::Offered);
        let titles: Vec<&str> = view.choices.iter().filter_map(|c| c.brief.title.as_deref()).collect();
        assert_eq!(
            titles,
            ["Help after the first order", "A nudge when it is time", "What is new since you were here"]
        );
        let audiences: std::collections::BTreeSet<_> = view.choices.iter().map(|c| &c.brief.audience.include).collect();
        assert_eq!(audiences.len(), 3);
        assert_eq!(view.brief.version, 0, "nothing is decided yet");
        let chosen = chat.choose(&id, 2).await.unwrap();
        assert_eq!((chosen.brief.version, chosen.choices.len()), (1, 0));
        assert_eq!(chosen.brief.title.as_deref(), Some("A nudge when it is time"));
        let ready = chat.say(&id, "Thursday at 9:00").await.unwrap();
        assert!(ready.brief.is_ready(), "{:?}", ready.brief.gaps);
    });
}
