//! The whole way: frozen, written, approved by somebody else, sent once to each.

use std::collections::BTreeSet;

use kit::message::Channel;
use mailwright::campaigns::CampaignError;
use mailwright::store::CampaignState;

use super::*;

#[test]
fn a_brief_becomes_one_message_for_each_of_its_people() {
    block_on(async {
        let shop = Shop::open(220).await;
        let tenant = &shop.tenant;
        let brief = shop.by_sms();
        let id = tenant.freeze_campaign("brf-1", &brief, &mira()).await.unwrap();
        assert_eq!(
            tenant.freeze_campaign("brf-1", &brief, &mira()).await.unwrap(),
            id,
            "the same brief, the same campaign"
        );
        let campaign = tenant.store.campaign(&id).await.unwrap().unwrap();
        let recipients = tenant.store.recipients(&id, 0, 10_000).await.unwrap();
        assert_eq!(
            u32::try_from(recipients.len()).unwrap(),
            campaign.count.recipients,
            "nobody who was counted is lost"
        );
        assert!(recipients.len() > 60, "{}", recipients.len());
        let estimate = tenant.estimate(&id).await.unwrap();
        assert!(estimate.classes > 1 && estimate.classes <= 12, "{estimate:?}");
        assert_eq!((estimate.calls.0, estimate.cost_micros), (estimate.classes * 2, Some((0, 0))));

        let written = tenant.write_campaign(&id, &mira(), Arc::new(Silent)).await.unwrap();
        assert_eq!(written.state, CampaignState::Written);
        for class in tenant.store.campaign_classes(&id).await.unwrap() {
            let copy = class.copy.unwrap();
            let angles: BTreeSet<_> = copy.subjects.iter().map(|s| s.angle).collect();
            assert_eq!((copy.subjects.len(), copy.tested), (10, 2));
            assert!(angles.len() >= 4, "{angles:?}");
            assert_eq!(copy.mail.unwrap().draft.subjects.len(), 3);
            assert!(copy.sms.is_some());
        }
        assert_eq!(tenant.estimate(&id).await.unwrap().calls, (0, 0), "what is written is not written again");

        let approval = tenant.ask_for_campaign(&id, &mira()).await.unwrap();
        let viewed = tenant.store.campaign_approval(&approval).await.unwrap().unwrap();
        let view = tenant.view_campaign(&viewed).await.unwrap();
        assert_eq!(view.classes.len(), viewed.terms.classes.len());
        assert!(view.not_composed.is_empty(), "{:?}", view.not_composed);
        for class in &view.classes {
            assert!(view.sample.iter().any(|person| person.class == class.class), "a class nobody is shown of");
        }
        assert!(view.sample.iter().all(|person| person.to.contains('…')), "addresses are masked");
        let own = view.sample.iter().find(|p| p.channel == Channel::Email).unwrap();
        assert!(
            own.products.len() >= 2 && own.products.iter().any(|(_, path)| path.contains("->") || path.contains("<-")),
            "{own:?}"
        );

        let refused = shop.approve(&approval, &mira()).await.unwrap_err();
        assert!(matches!(refused, DecideError::Rule(_)), "who shaped it cannot approve it: {refused}");
        let early = tenant.schedule_campaign(&id, &mira()).await.unwrap_err();
        assert!(matches!(early, CampaignError::State(..)), "{early}");
        shop.approve(&approval, &nora()).await.unwrap();
        tenant.schedule_campaign(&id, &mira()).await.unwrap();

        // Before anybody's hour nothing leaves.
        assert_eq!(tenant.run_campaign(&id, &|_| {}).await.unwrap(), Default::default());
        assert!(shop.files("new").is_empty() && shop.files("sms").is_empty());
        shop.clock.set(THURSDAY_EVENING.parse().unwrap());
        let progress = tenant.run_campaign(&id, &|_| {}).await.unwrap();
        let counts = shop.counts(&id).await;
        let (mails, texts) = (shop.files("new"), shop.files("sms"));
        assert_eq!(mails.len() + texts.len(), progress.sent as usize, "{counts:?}");
        assert_eq!(progress.sent as usize, recipients.len(), "{counts:?}");
        assert!(mails.len() > 20 && texts.len() > 10, "{} {}", mails.len(), texts.len());
        assert_eq!(tenant.store.campaign(&id).await.unwrap().unwrap().state, CampaignState::Done);

        // Each person exactly once; a mail has three or four products and no placeholder; a text its brand and its stop.
        let to = |mail: &str| mail.lines().find_map(|l| l.strip_prefix("To: ").map(str::to_owned)).unwrap();
        assert_eq!(mails.values().map(|m| to(m)).collect::<BTreeSet<_>>().len(), mails.len());
        let mut subjects = BTreeSet::new();
        for mail in mails.values() {
            let parsed = mail_parser::MessageParser::new().parse(mail.as_bytes()).unwrap();
            let html = parsed.body_html(0).unwrap();
            assert!((3..=4).contains(&html.matches("<h2").count()), "{}", html.matches("<h2").count());
            assert!(!html.contains("{{") && !parsed.body_text(0).unwrap().contains("{{"));
            assert!(parsed.header("List-Unsubscribe-Post").is_some());
            subjects.insert(parsed.subject().unwrap().to_owned());
        }
        for text in texts.values() {
            let file: serde_json::Value = serde_json::from_str(text).unwrap();
            let body = file["text"].as_str().unwrap();
            assert!(body.starts_with("Tarn & Trail: ") && body.ends_with("/s/stop") && body.contains("/s/"), "{body}");
            assert!(file["to"].as_str().unwrap().starts_with("+999") && file["parts"].as_u64().unwrap() <= 2, "{file}");
            let code = body.split("/s/").nth(1).unwrap().split(' ').next().unwrap();
            assert!(
                tenant.store.short_link(code).await.unwrap().unwrap().starts_with("https://www.tarnandtrail.example/")
            );
        }
        // Two subjects are tried in each class: more are in the outbox than classes that mail.
        assert!(subjects.len() > 1);
        let arms: BTreeSet<_> =
            tenant.store.recipients(&id, 0, 10_000).await.unwrap().into_iter().map(|r| r.subject).collect();
        assert!(arms.contains(&Some(0)) && arms.contains(&Some(1)) && !arms.contains(&Some(2)), "{arms:?}");
        let again = tenant.run_campaign(&id, &|_| {}).await.unwrap_err();
        assert!(matches!(again, CampaignError::State(CampaignState::Done, _)), "{again}");
    });
}

#[test]
fn an_offer_is_in_the_mails_of_those_whom_the_ladder_grants_it_each_with_a_code_of_their_own() {
    block_on(async {
        let shop = Shop::open(160).await;
        let tenant = &shop.tenant;
        let id = shop.scheduled(&shop.with_offer("ten-percent")).await;
        shop.clock.set(THURSDAY_EVENING.parse().unwrap());
        tenant.run_campaign(&id, &|_| {}).await.unwrap();
        let recipients = tenant.store.recipients(&id, 0, 10_000).await.unwrap();
        let (with, without): (Vec<_>, Vec<_>) = recipients.iter().partition(|r| r.offer.is_some());
        assert!(with.len() > 10, "{} {}", with.len(), without.len());
        let mut codes = BTreeSet::new();
        for mail in shop.files("new").values() {
            let parsed = mail_parser::MessageParser::new().parse(mail.as_bytes()).unwrap();
            let text = parsed.body_text(0).unwrap().into_owned();
            if let Some(code) = text.split_whitespace().find(|w| w.starts_with("TARN-")) {
                assert!(codes.insert(code.to_owned()), "{code} twice");
            }
        }
        let mailed = with.iter().filter(|r| r.channel == Channel::Email).count();
        assert_eq!(codes.len(), mailed);
    });
}
