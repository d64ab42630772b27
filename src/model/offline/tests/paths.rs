//! The way through a run: which calls, in which order, and what the message is.

use serde_json::{Value, json};

use super::world::{World, blocked, needs_approval, ok, product, with};

/// What a reader gets, as the blocks say it.
fn snapshot(name: &str, world: &World) {
    let run = world.run();
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, serde_json::to_string_pretty(run.proposals()[0]).unwrap());
    });
}

#[test]
fn a_cart_is_looked_into_written_about_and_handed_over() {
    let run = World::cart("en").run();
    assert_eq!(
        run.names(),
        [
            vec!["lookup_profile"],
            vec!["get_products", "recommend", "guides"],
            vec!["propose_message"],
            vec!["queue_send"]
        ]
    );
    assert_eq!(run.last(), ("queue_send", &json!({"draft": "9f2c41d07ab3"})));
    let blocks = run.proposals()[0]["blocks"].as_array().unwrap();
    let kinds: Vec<&str> = blocks.iter().map(|b| b["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["heading", "paragraph", "paragraph", "product", "guide", "product", "cta"]);
    assert_eq!(blocks[3]["fact"], "f5101", "the product as it was seen last");
    assert_eq!(blocks[5], json!({"type": "product", "fact": "f3002", "reason": "Keeps the spout free of scale."}));
    assert_eq!(blocks[6]["fact"], "f101", "back to the cart");
    assert_eq!(run.proposals()[0]["angle"], "reassurance");
}

#[test]
fn messages_of_every_flow_and_language() {
    for language in ["en", "de"] {
        snapshot(&format!("cart-{language}"), &World::cart(language));
        snapshot(&format!("care-{language}"), &World::order(language));
        let ran_out = World::cancelled(language, "Their last order was cancelled because we ran out of stock.");
        snapshot(&format!("restock-{language}"), &ran_out);
        snapshot(&format!("fresh-{language}"), &World::cancelled(language, "Cancelled their last order themselves."));
    }
}

#[test]
fn what_sold_out_is_replaced_by_what_the_graph_names() {
    let mut world = World::cart("en");
    world.profile["candidates"][0]["stock"] = json!("out");
    world.profile["angles"] = json!(["cart_reminder", "reassurance", "alternatives"]);
    world.changed.insert("P-1", json!({"stock": "out"}));
    let stand_in = json!({"because": "can stand in for Kestrel Kettle B: pours as well and boils a little slower", "path": "P-1 -substitute-> P-3"});
    world.graph.insert("substitutes", json!({"items": [with(product(3, 30), stand_in)]}));
    let run = world.run();
    assert_eq!(run.names()[1], ["get_products", "substitutes", "recommend", "guides"]);
    assert_eq!(run.turns[1][1].1["products"], json!(["P-1"]));
    let message = run.proposals()[0];
    assert_eq!(message["angle"], "alternatives");
    let products: Vec<&Value> =
        message["blocks"].as_array().unwrap().iter().filter(|b| b["type"] == "product").collect();
    assert_eq!(
        products,
        [&json!({"type": "product", "fact": "f3003", "reason": "Pours as well and boils a little slower."})]
    );
    assert!(!message.to_string().contains("f5101"), "what is out of stock is not cited");

    world.graph.insert("substitutes", json!({"note": "nothing in stock can stand in"}));
    assert_eq!(world.run().no_send().0, "out_of_stock");
}

#[test]
fn stock_is_believed_as_it_was_seen_last() {
    let mut world = World::cart("en");
    world.changed.insert("P-1", json!({"stock": "out"}));
    let run = world.run();
    assert_eq!(run.names()[2], ["substitutes"], "it sold out between two looks");
    assert_eq!(run.no_send().0, "out_of_stock");
}

#[test]
fn only_win_back_asks_for_an_offer_and_shows_it_when_granted() {
    let mut world = World::cancelled("en", "Their last order was cancelled because we ran out of stock.");
    world.verdicts = vec![needs_approval()];
    world.quote = json!({"answer": "granted", "fact": "f601", "step": "free-shipping", "label": "Free delivery", "code": "X", "ends": "2026-03-31T23:59:59Z", "needs_approval": false, "cite": ""});
    let run = world.run();
    assert_eq!(
        run.names(),
        [
            vec!["lookup_profile"],
            vec!["get_products", "recommend"],
            vec!["quote_offer"],
            vec!["propose_message"],
            vec!["request_approval"]
        ]
    );
    let blocks = run.proposals()[0]["blocks"].as_array().unwrap();
    let offer = blocks.iter().find(|b| b["type"] == "offer").unwrap();
    assert_eq!(offer["fact"], "f601");
    assert!(offer["text"].as_str().unwrap().contains("{{f601.code}}"));
    let (_, approval) = run.last();
    assert_eq!(approval["draft"], "9f2c41d07ab3");
    assert_eq!(approval["risk_notes"], "win-back flow: a person looks at every message");

    world.quote = json!({"answer": "none", "reason": "Not now.", "permitted": ["ten-percent"], "next": "Ask again."});
    let run = world.run();
    assert_eq!(run.names().iter().flatten().filter(|name| **name == "quote_offer").count(), 1);
    assert!(!run.proposals()[0].to_string().contains("offer"));
}

#[test]
fn a_blocked_message_is_mended_where_the_finding_points() {
    let mut world = World::cart("en");
    world.verdicts = vec![blocked("subjects[1]"), blocked("blocks[1].text"), ok()];
    let run = world.run();
    assert_eq!(run.last().0, "queue_send");
    let [first, second, third] = run.proposals()[..] else { panic!("three proposals") };
    assert!(!second["subjects"].as_array().unwrap().contains(&first["subjects"][1]));
    assert_eq!(second["blocks"], first["blocks"], "what was good is kept");
    assert_ne!(third["blocks"][1], second["blocks"][1]);
    assert_eq!(third["blocks"][0], second["blocks"][0]);
    assert_eq!(third["subjects"], second["subjects"]);
}

#[test]
fn a_blocked_reason_falls_back_on_a_pattern_and_a_blocked_fact_is_dropped() {
    let mut world = World::cart("en");
    world.verdicts = vec![blocked("blocks[5].reason"), blocked("blocks[5].fact"), ok()];
    let run = world.run();
    let [first, second, third] = run.proposals()[..] else { panic!("three proposals") };
    assert_eq!(first["blocks"][5]["reason"], "Keeps the spout free of scale.");
    assert_eq!(second["blocks"][5]["fact"], "f3002");
    assert_ne!(second["blocks"][5]["reason"], first["blocks"][5]["reason"]);
    assert!(!third.to_string().contains("f3002"));
}

#[test]
fn faults_of_form_are_read_from_words() {
    let mut world = World::cart("de");
    let words = "nothing was recorded; mend these and call propose_message again:\n- blocks[4].fact: there is no fact f401; facts of kind Guide: none yet\n- preheader: it cannot be read";
    world.verdicts = vec![json!(words), ok()];
    let run = world.run();
    let [first, second] = run.proposals()[..] else { panic!("two proposals") };
    assert!(first.to_string().contains("f401") && !second.to_string().contains("f401"));
    assert_ne!(first["preheader"], second["preheader"]);
}

#[test]
fn a_message_wanting_as_a_whole_gets_shorter_and_otherwise_worded() {
    let mut world = World::cart("en");
    world.verdicts = vec![blocked("message"), ok()];
    let run = world.run();
    let [first, second] = run.proposals()[..] else { panic!("two proposals") };
    assert!(second["blocks"].as_array().unwrap().len() < first["blocks"].as_array().unwrap().len());
    for at in 0..3 {
        assert_ne!(first["blocks"][at], second["blocks"][at]);
    }
    assert_ne!(first["preheader"], second["preheader"]);
}

#[test]
fn three_blocked_messages_are_enough() {
    let mut world = World::cart("en");
    world.verdicts = vec![blocked("subjects[0]")];
    let run = world.run();
    assert_eq!(run.proposals().len(), 3);
    let (code, reason) = run.no_send();
    assert_eq!(code, "other");
    assert!(reason.ends_with("long subjects are cut off"), "{reason}");
}

#[test]
fn a_rejected_message_is_looked_up_again_and_worded_otherwise() {
    let mut world = World::cart("en");
    world.verdicts = vec![needs_approval()];
    world.rejection =
        Some("A marketer rejected the message and asks for another one. The reason, in their words: \"too dry\".");
    let run = world.run();
    assert_eq!(
        run.names()[2..],
        [
            vec!["propose_message"],
            vec!["request_approval"],
            vec!["get_products"],
            vec!["propose_message"],
            vec!["request_approval"]
        ]
    );
    assert_eq!(run.turns[4][0].1["products"], json!(["P-1", "P-2"]), "what the message showed is looked up again");
    let [first, second] = run.proposals()[..] else { panic!("two proposals") };
    let unnumbered = |value: &Value| value.to_string().replace(|c: char| c.is_ascii_digit(), "");
    assert_ne!(unnumbered(&first["subjects"][0]), unnumbered(&second["subjects"][0]));
    for at in 0..3 {
        assert_ne!(unnumbered(&first["blocks"][at]), unnumbered(&second["blocks"][at]));
    }
    assert!(second.to_string().contains("f5401"), "the fresh fact is cited: {second}");
    assert!(!second.to_string().contains("f5101"));
}

#[test]
fn the_same_run_reads_the_same_and_another_one_does_not() {
    let world = World::cart("en");
    let message = |occasion: &str| {
        let world = World { task: world.task.replace("cart:c1", occasion), ..world.clone() };
        world.run().proposals()[0].clone()
    };
    assert_eq!(message("cart:c1"), message("cart:c1"));
    let variants: std::collections::BTreeSet<String> =
        (0..12).map(|n| message(&format!("cart:{n}")).to_string()).collect();
    assert!(variants.len() >= 11, "{}", variants.len());
}
