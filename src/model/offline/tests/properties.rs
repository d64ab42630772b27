//! Whatever tools answer and whoever asks: one valid move, the same one every time, and an end.

use agent::{Message, ToolCall};
use kit::CallId;
use proptest::prelude::*;
use serde_json::Value;

use super::world::{CLEAR, COMPOSE, DELIVER, GATHER, World, ask, blocked, needs_approval, ok, product};

/// Keys that the tools use, so that made-up answers are near the real ones.
const KEYS: [&str; 26] = [
    "fact",
    "product",
    "title",
    "stock",
    "highlights",
    "care",
    "regulated",
    "review",
    "role",
    "because",
    "path",
    "angles",
    "language",
    "stage",
    "reasons",
    "source",
    "text",
    "notes",
    "cart",
    "candidates",
    "items",
    "guides",
    "products",
    "status",
    "draft",
    "findings",
];
const WORDS: [&str; 16] = [
    "f101",
    "f9",
    "P-1",
    "in_stock",
    "out",
    "in_cart",
    "ordered",
    "en",
    "de",
    "care",
    "cart_reminder",
    "comeback",
    "ok",
    "blocked",
    "9f2c41d07ab3",
    "P-1 -accessory-> P-2",
];

fn anything() -> impl Strategy<Value = Value> {
    let word = prop_oneof![proptest::sample::select(WORDS.as_slice()).prop_map(str::to_owned), ".{0,12}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        word.prop_map(Value::from),
        Just(product(1, 1)),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec((proptest::sample::select(KEYS.as_slice()), inner), 0..8)
                .prop_map(|fields| fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

fn world() -> impl Strategy<Value = World> {
    let language = prop_oneof![Just("en"), Just("de")];
    (language, 0..3_u8).prop_map(|(language, flow)| match flow {
        0 => World::cart(language),
        1 => World::order(language),
        _ => World::cancelled(language, "Their last order was cancelled because we ran out of stock."),
    })
}

/// Replaces the value at some depth of an answer.
fn corrupted(value: Value, at: &mut usize, by: &Value) -> Value {
    if *at == 0 {
        *at = usize::MAX;
        return by.clone();
    }
    *at = at.saturating_sub(1);
    match value {
        Value::Object(map) => map.into_iter().map(|(key, value)| (key, corrupted(value, at, by))).collect(),
        Value::Array(list) => list.into_iter().map(|value| corrupted(value, at, by)).collect(),
        other => other,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn made_up_transcripts_never_break_it(
        turns in proptest::collection::vec((0..9_usize, anything(), anything(), ".{0,20}"), 0..12),
        offer in prop_oneof![Just(GATHER), Just(COMPOSE), Just(CLEAR), Just(DELIVER)],
    ) {
        const TOOLS: [&str; 9] = ["lookup_profile", "get_products", "search_catalog", "explore_graph", "quote_offer",
            "propose_message", "request_approval", "queue_send", "made_up"];
        let mut messages = World::cart("en").opening();
        for (n, (name, arguments, answer, words)) in turns.into_iter().enumerate() {
            let id = CallId::new(format!("c{n}")).unwrap();
            let name = TOOLS[name].to_owned();
            messages.push(Message::Assistant { text: None, calls: vec![ToolCall { id: id.clone(), name: name.clone(), arguments: arguments.to_string() }] });
            let content = if words.len() > 14 { words } else { answer.to_string() };
            messages.push(Message::Tool { call: id, name, content });
        }
        prop_assert_eq!(ask(&messages, offer), ask(&messages, offer));
    }

    #[test]
    fn one_wrong_value_anywhere_still_ends_in_a_message_or_in_none(
        world in world(), which in 0..5_u8, at in 0..40_usize, by in anything(),
    ) {
        let mut world = world;
        let answer = match which {
            0 => &mut world.profile,
            1 => &mut world.quote,
            2 => world.graph.get_mut("recommend").unwrap(),
            3 => world.graph.get_mut("guides").unwrap(),
            _ => world.graph.get_mut("neighbours").unwrap(),
        };
        let mut at = at;
        *answer = corrupted(answer.clone(), &mut at, &by);
        let run = world.run();
        prop_assert!(["queue_send", "decide_no_send"].contains(&run.last().0));
    }

    #[test]
    fn verdicts_in_any_order_end_the_run(
        world in world(),
        verdicts in proptest::collection::vec(
            prop_oneof![
                Just(ok()), Just(needs_approval()), anything(), Just(blocked("message")), Just(blocked("subjects[0]")),
                (0..9_u8, prop_oneof![Just("text"), Just("reason"), Just("fact"), Just("label")]).prop_map(|(i, field)| blocked(&format!("blocks[{i}].{field}"))),
            ],
            1..6,
        ),
        rejected in any::<bool>(),
    ) {
        let mut world = world;
        world.verdicts = verdicts;
        world.rejection = rejected.then_some("A marketer rejected the message and asks for another one.");
        let run = world.run();
        prop_assert!(run.proposals().len() <= 6, "{:#?}", run.names());
        let proposals = run.proposals();
        let distinct: std::collections::BTreeSet<String> = proposals.iter().map(|p| p.to_string()).collect();
        prop_assert_eq!(distinct.len(), proposals.len(), "the same message twice");
    }
}
