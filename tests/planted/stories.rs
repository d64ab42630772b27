//! Runs of every flow over HTTP and by hand, with the model behind HTTP and on a cassette.

use std::sync::Arc;

use kit::campaign::{
    Angle, AudienceSpec, Brief, BriefProduct, OfferChoice, OfferPlan, Predicate, Schedule, SendZone, VipTreatment,
};
use kit::message::{Channel, ConsentState};
use kit::{CustomerId, Language, Provenance, ReviewId, Role};
use mailwright::briefs::Chat;
use mailwright::cassette::{Cassette, Scrub};
use mailwright::model::offline::OfflineModel;
use mailwright::model::openai::OpenAi;
use mailwright::release::{Release, defaults};
use mailwright::runs::Silent;
use mailwright::server::Limits;
use mailwright::store::CustomerPhone;
use serde_json::json;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{Log, PLANTED, found};
use crate::model_server::{Thinking, profile};
use crate::server::Served;
use crate::world::{Fate, Terms, World, only_run, team};

const EMAIL: &str = "quintessa.planted@mailbox.example";
const PHONE: &str = "+353875551234";

/// What has a form, in somebody else's words.
const FORMED: &str = "Sits well. Write to quintessa.planted@mailbox.example or +353 87 555 1234, card 4111 1111 1111 1111, IBAN DE89 3704 0044 0532 0130 00.";

/// Everything that a person could write into a text field.
fn words() -> String {
    let values: Vec<&str> = PLANTED.iter().map(|(_, value)| *value).filter(|v| *v != crate::server::SECRET).collect();
    format!("Sits well. {}", values.join(", "))
}

/// The shop: its feed and its reviewers write personal data into every field they have.
fn terms(model: OpenAi) -> Terms {
    // A name has no form: it is masked where the run knows whose it is, and a marketer's conversation knows nobody.
    Terms::of(42).model(Arc::new(model)).shelf(|shelf| {
        for product in shelf.products.iter_mut().step_by(2) {
            product.provenance = Provenance::ThirdParty;
            product.highlights = vec![FORMED.to_owned()];
            product.care = Some(FORMED.to_owned());
            product.i18n.clear();
            let id = ReviewId::new(format!("rv-{}", product.id)).unwrap();
            let (text, author) = (FORMED.to_owned(), "Kim B.".to_owned());
            product.reviews = vec![kit::product::ReviewCard { id, stars: 5, text, author, gist: None }];
        }
    })
}

async fn join(world: &World) -> CustomerId {
    let mut person = world.person();
    person.email = Some(EMAIL.to_owned());
    person.first_name = Some("Quintessa".to_owned());
    let reader = world.join(person).await;
    let phone = kit::phone::Phone::parse(PHONE).unwrap();
    world.tenant.store.put_phones(vec![CustomerPhone { customer: reader.clone(), phone, region: None }]).await.unwrap();
    reader
}

/// A checkout as Shopify tells it, with all that it knows of a person.
fn checkout(world: &World) -> serde_json::Value {
    let product = world.shelf.product_of(&world.shelf.lead()).clone();
    let price = format!("{}.{:02}", product.price.minor / 100, product.price.minor % 100);
    let address = json!({
        "first_name": "Quintessa", "last_name": "Zwetschkenbaum", "address1": "14 Plantedheron Row", "zip": "H91 PL4N",
        "phone": "+353 87 555 1234", "city": "Galway", "country_code": "IE", "name": "Quintessa Zwetschkenbaum",
    });
    json!({
        "id": 90017, "token": "token-planted-1", "cart_token": "cart-planted-1", "email": EMAIL, "phone": "+353 87 555 1234",
        "customer_locale": "en-GB", "currency": "EUR", "note": words(), "browser_ip": "203.0.113.77",
        "line_items": [{ "product_id": 8_514_000_000_001_u64, "sku": product.id, "title": words(), "price": price, "line_price": price, "quantity": 1 }],
        "total_line_items_price": price, "subtotal_price": price, "total_price": price,
        "abandoned_checkout_url": format!("https://www.{}/cart/plantedwayback", world.shelf.domain),
        "shipping_address": address, "billing_address": address,
        "customer": { "id": 7_301_440_000_199_u64, "email": EMAIL, "first_name": "Quintessa", "last_name": "Zwetschkenbaum", "default_address": address },
        "created_at": world.now(), "updated_at": world.now(), "completed_at": null,
    })
}

/// What every list of the API answers.
async fn lists(served: &Served, seen: &mut Vec<String>) {
    let token = served.token(Role::Viewer).await;
    for path in ["runs", "sends", "inbox", "kill", "approvals", "chat", "trust", "offers/wishes", "openapi.json"] {
        let answer = served.get(&format!("/api/v1/{path}"), &token).await;
        assert!(answer.len() > 1, "{path}: {answer}");
        // An order's number is how the shop's people find its run.
        let others = found(&format!("the list {path}"), &answer)
            .into_iter()
            .filter(|f| !f.starts_with("order number in the list runs"));
        seen.extend(others);
    }
}

#[test]
fn planted_values_stand_in_no_request_log_recording_or_list() {
    let (log, folder) = (Log::default(), tempfile::tempdir().unwrap());
    let kept = log.keep();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let seen = runtime.block_on(async {
        let mut seen = Vec::new();
        let server = MockServer::start().await;
        let release = Release::read(kit::Digest::of_bytes(b"x"), &defaults()).unwrap();
        Mock::given(method("POST")).respond_with(Thinking(OfflineModel::of(&release))).mount(&server).await;
        let tape = folder.path().join("tape.jsonl");
        let cassette = Arc::new(Cassette::record(&tape, Scrub::default()).unwrap());
        let model = OpenAi::with(profile(&format!("{}/v1", server.uri())), Some(cassette.clone())).unwrap();
        let world = terms(model).open().await;
        let reader = join(&world).await;

        let world = over_http(world, &mut seen).await;
        let world = flows(world, &reader).await;
        let world = chat_and_campaign(world).await;
        let world = outage(world, &server, &reader).await;
        let served = Served::again(world, Limits::default()).await;
        lists(&served, &mut seen).await;
        served.stop().await;

        let asked = server.received_requests().await.unwrap();
        assert!(!asked.is_empty(), "nobody was asked in the outage");
        for (number, request) in asked.iter().enumerate() {
            seen.extend(found(&format!("request {number} to the model"), &String::from_utf8_lossy(&request.body)));
        }
        cassette.finish().unwrap();
        let recorded = std::fs::read_to_string(&tape).unwrap();
        assert!(recorded.lines().count() > 12, "{}", recorded.len());
        seen.extend(found("the recording", &recorded));
        seen
    });
    drop(kept);
    let log = log.text();
    for level in ["TRACE", "DEBUG", "WARN"] {
        assert!(log.contains(level), "nothing was logged at {level}");
    }
    let mut seen = seen;
    for line in log.lines() {
        seen.extend(found("the log", line));
    }
    seen.dedup();
    assert_eq!(seen, Vec::<String>::new());
}

/// A checkout, a forged one, a broken one, one that cannot be; a ticket.
async fn over_http(world: World, seen: &mut Vec<String>) -> World {
    let served = Served::with(world, Limits::default()).await;
    let body = checkout(&served.world).to_string();
    let said = |answer: String, seen: &mut Vec<String>| seen.extend(found("the answer to a webhook", &answer));
    let sent = |request: reqwest::RequestBuilder| async move { request.send().await.unwrap().text().await.unwrap() };
    said(sent(served.shopify("checkouts/update", "evt-planted-1", body.as_bytes())).await, seen);
    said(
        sent(
            served
                .shopify("checkouts/update", "evt-planted-1", body.as_bytes())
                .header("X-Shopify-Hmac-Sha256", "AAAA"),
        )
        .await,
        seen,
    );
    let broken = &body[..body.len() - 40];
    said(sent(served.shopify("checkouts/update", "evt-planted-2", broken.as_bytes())).await, seen);
    let odd = body.replace("\"currency\":\"EUR\"", &format!("\"currency\":\"{}\"", words()));
    said(sent(served.shopify("checkouts/update", "evt-planted-3", odd.as_bytes())).await, seen);
    said(sent(served.shopify("customers/unheard_of", "evt-planted-4", body.as_bytes())).await, seen);
    served.settled().await;
    lists(&served, seen).await;
    served.stop().await
}

/// Cart, care after an order, a ticket, an order that was cancelled; each as far as a person takes it.
async fn flows(mut world: World, reader: &CustomerId) -> World {
    let lead = world.shelf.lead();
    let runs = world.tenant.store.runs(100).await.unwrap();
    assert_eq!(runs.len(), 1, "the checkout over HTTP began one run");
    assert!(matches!(world.in_time(&runs[0].id).await, Fate::Sent(_) | Fate::Waiting(_) | Fate::NoSend(_)));
    world.ticket_saying(reader, "the plantedzip burst", true).await;
    world.ticket_saying(reader, "the plantedzip burst", false).await;
    let mut basket = world.basket(reader, &[world.shelf.at(0, 1).id.clone()]);
    (basket.note, basket.items[0]["title"]) = (Some(words()), json!(words()));
    let cart = only_run(&world.fire(&basket).await);
    let fate = world.in_time(&cart).await;
    assert!(matches!(fate, Fate::Sent(_)), "{fate}");
    for topic in ["order.fulfilled", "order.cancelled"] {
        world.later(24 * 8);
        let mut order = world.purchase(topic, reader, std::slice::from_ref(&lead));
        order.order = format!("PLANTED-90017-{topic}");
        for run in world.report(&order).await.runs {
            let fate = world.in_time(&run.run).await;
            if matches!(fate, Fate::Waiting(_)) {
                world.approve_all().await;
                world.drive(&run.run).await;
            }
        }
    }
    assert!(world.outbox().len() > 1, "{}", world.outbox().len());
    world
}

/// A marketer types what they should not, and a campaign is written and sent.
async fn chat_and_campaign(world: World) -> World {
    let chat = Chat::new(world.tenant.clone(), Arc::new(Silent));
    let id = chat.start(&team("mira", Role::Marketer)).await.unwrap().id;
    let formed = format!(
        "lapsed customers, Thursday; ask {EMAIL} or +353 87 555 1234, card 4111 1111 1111 1111, IBAN DE89 3704 0044 0532 0130 00"
    );
    chat.say(&id, &formed).await.unwrap();

    let products = [world.shelf.at(2, 1), world.shelf.at(3, 1)].map(|product| BriefProduct {
        product: product.id.clone(),
        title: product.id.to_string(),
        category: product.category.clone(),
        because: "for the season".to_owned(),
        path: String::new(),
        regulated: None,
    });
    let day = world.now().to_zoned(jiff::tz::TimeZone::UTC).date().tomorrow().unwrap();
    let brief = Brief {
        title: Some("Season".to_owned()),
        objective: Some("Sell to people who know us".to_owned()),
        audience: AudienceSpec { include: vec![Predicate::OrdersAtLeast { orders: 1 }], exclude: Vec::new() },
        vip: VipTreatment::Excluded,
        offer: OfferPlan { choice: OfferChoice::None, ..OfferPlan::default() },
        products: products.to_vec(),
        channels: vec![Channel::Email],
        schedule: Some(Schedule {
            on: day,
            at: jiff::civil::time(10, 0, 0, 0),
            zone: SendZone::Recipient,
            not_after: day.tomorrow().unwrap(),
            said: Some("tomorrow".to_owned()),
        }),
        angles: vec![Angle::Occasion, Angle::Comeback],
        languages: vec![Language::EN],
        owner: Some("user:mira".to_owned()),
        ..Brief::default()
    };
    let mira = team("mira", Role::Marketer);
    let campaign = world.tenant.freeze_campaign("brf-planted", &brief, &mira).await.unwrap();
    world.tenant.write_campaign(&campaign, &mira, Arc::new(Silent)).await.unwrap();
    world.tenant.ask_for_campaign(&campaign, &mira).await.unwrap();
    world
}

/// The model's server breaks in the middle; somebody takes their consent back.
async fn outage(mut world: World, server: &MockServer, reader: &CustomerId) -> World {
    world.later(24 * 8);
    let before = server.received_requests().await.unwrap();
    assert!(before.len() > 12, "{}", before.len());
    server.reset().await;
    Mock::given(method("POST")).respond_with(ResponseTemplate::new(503).set_body_string(FORMED)).mount(server).await;
    let basket = world.basket(reader, &[world.shelf.at(1, 3).id.clone()]);
    let run = only_run(&world.fire(&basket).await);
    let fate = world.in_time(&run).await;
    assert!(matches!(fate, Fate::Sent(_) | Fate::Waiting(_)), "the offline model stands in: {fate}");
    world.says(reader, "email", ConsentState::Withdrawn).await;
    for request in before {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let task = body.split("Flow: ").nth(1).unwrap_or(&body).chars().take(200).collect::<String>();
        assert_eq!(found("a request before the outage", &body), Vec::<String>::new(), "{task}");
    }
    world
}
