//! Known customers of a known shop: what they are offered, and in which words.

use kit::{CategoryId, Language};
use mailwright_graph::*;

use crate::shop::*;

#[test]
fn a_boot_in_the_cart_brings_what_goes_with_it() {
    let graph = graph();
    let basket = [id("boot")];
    let english = Request { basket: &basket, k: 6, ..request() };
    let german = Request { language: &Language::DE, ..english };
    insta::assert_snapshot!(shown(&graph.recommend(&english, &Stand::default())), @r"
    spray: goes with Clare Mid Hiking Boot: keeps the membrane breathing [boot -accessory-> spray]
    insole: goes with Clare Mid Hiking Boot: holds the heel on long descents [boot -accessory-> insole]
    socks: often bought next by people who bought Clare Mid Hiking Boot [boot -bought_next-> socks]
    bottle: bought next by some people who bought Clare Mid Hiking Boot [boot -bought_next-> bottle]
    pack: for the same purpose as Clare Mid Hiking Boot: a first multi-day hike [boot -serves_intent-> first-multi-day-hike <-serves_intent- pack]
    poles: for the same purpose as Clare Mid Hiking Boot: a first multi-day hike [boot -serves_intent-> first-multi-day-hike <-serves_intent- poles]
    ");
    insta::assert_snapshot!(shown(&graph.recommend(&german, &Stand::default())), @r"
    spray: passt zu Clare Mid Hiking Boot: hält die Membran atmungsaktiv [boot -accessory-> spray]
    insole: passt zu Clare Mid Hiking Boot [boot -accessory-> insole]
    socks: wird nach Clare Mid Hiking Boot oft als Nächstes gekauft [boot -bought_next-> socks]
    bottle: wird nach Clare Mid Hiking Boot von manchen als Nächstes gekauft [boot -bought_next-> bottle]
    pack: für denselben Zweck wie Clare Mid Hiking Boot: die erste Mehrtagestour [boot -serves_intent-> first-multi-day-hike <-serves_intent- pack]
    poles: für denselben Zweck wie Clare Mid Hiking Boot: die erste Mehrtagestour [boot -serves_intent-> first-multi-day-hike <-serves_intent- poles]
    ");
}

#[test]
fn the_next_step_starts_from_what_was_bought_before() {
    let graph = graph();
    let history = [owned("pack", 40), owned("boot", 20)];
    let known = Request { history: &history, k: 3, ..request() };
    insta::assert_snapshot!(shown(&graph.recommend(&known, &Stand::default())), @r"
    spray: goes with Clare Mid Hiking Boot: keeps the membrane breathing [boot -accessory-> spray]
    insole: goes with Clare Mid Hiking Boot: holds the heel on long descents [boot -accessory-> insole]
    poles: the next step after Day Pack 28: with weight on your back, knees are glad of poles [pack -next-> poles]
    ");
}

#[test]
fn with_nothing_to_go_by_the_reason_says_so() {
    let graph = graph();
    let favourites = [CategoryId::new("gear").unwrap()];
    let newcomer = Request { favourites: &favourites, k: 5, ..request() };
    insta::assert_snapshot!(shown(&graph.recommend(&newcomer, &Stand::default())), @r"
    bottle: from gear; too few orders to call it popular [gear <-in_category- gear/bottles <-in_category- bottle]
    map: from gear; too few orders to call it popular [gear <-in_category- gear/maps <-in_category- map]
    poles: from gear; too few orders to call it popular [gear <-in_category- gear/poles <-in_category- poles]
    boot: popular in the whole shop; nothing this customer bought points to it []
    socks: popular in the whole shop; nothing this customer bought points to it []
    ");
    let german = Request { favourites: &[], k: 2, language: &Language::DE, ..request() };
    insta::assert_snapshot!(shown(&graph.recommend(&german, &Stand::default())), @r"
    boot: im ganzen Shop beliebt; kein früherer Kauf spricht dafür []
    socks: im ganzen Shop beliebt; kein früherer Kauf spricht dafür []
    ");
    let unknown = [id("from-another-shop")];
    let stranger = Request { basket: &unknown, k: 2, ..request() };
    let plain = Request { k: 2, ..request() };
    assert_eq!(graph.recommend(&stranger, &Stand::default()), graph.recommend(&plain, &Stand::default()));
}

#[test]
fn substitutes_are_the_merchandisers_first_then_the_same_kind() {
    let graph = graph();
    let english = request();
    let german = Request { language: &Language::DE, ..english };
    insta::assert_snapshot!(shown(&graph.substitutes(&id("boot"), &english, &Stand::default())), @r"
    boot-light: can stand in for Clare Mid Hiking Boot: the same last, a lighter shaft [boot -substitute-> boot-light]
    boot-low: the same kind of product as Clare Mid Hiking Boot, similar price, features in common [boot -in_category-> footwear/hiking-boots <-in_category- boot-low]
    ");
    insta::assert_snapshot!(shown(&graph.substitutes(&id("boot-low"), &german, &Stand::default())), @r"
    boot-light: dieselbe Art Produkt wie Burren Low Hiking Shoe, ähnlicher Preis, gemeinsame Merkmale [boot-low -in_category-> footwear/hiking-boots <-in_category- boot-light]
    boot: dieselbe Art Produkt wie Burren Low Hiking Shoe, ähnlicher Preis, gemeinsame Merkmale [boot-low -in_category-> footwear/hiking-boots <-in_category- boot]
    ");
    insta::assert_snapshot!(shown(&graph.substitutes(&id("boot-light"), &english, &Stand::default())), @r"
    boot: can stand in for Moher Light Boot [boot-light <-substitute- boot]
    boot-low: the same kind of product as Moher Light Boot, similar price, features in common [boot-light -in_category-> footwear/hiking-boots <-in_category- boot-low]
    ");
    let out = Stand { out: [id("boot-light")].into(), ..Stand::default() };
    let left: Vec<_> = graph.substitutes(&id("boot"), &english, &out).into_iter().map(|r| r.product).collect();
    assert_eq!(left, [id("boot-low")]);
}

#[test]
fn a_consumable_comes_back_when_it_is_due() {
    let graph = graph();
    let offered = |owned: Owned| {
        let (history, favourites) = ([owned], [CategoryId::new("nutrition/drinks").unwrap()]);
        let request = Request { history: &history, favourites: &favourites, k: 12, ..request() };
        graph.recommend(&request, &Stand::default()).iter().any(|r| r.product == id("salts"))
    };
    // The shop's customers buy salts every 28 days; offered from nine tenths of that.
    assert!(!offered(owned("salts", 25)));
    assert!(offered(owned("salts", 26)));
    // The customer's own cycle counts for more.
    assert!(!offered(Owned { due_at: Some(days_ago(-1)), ..owned("salts", 40) }));
    assert!(offered(Owned { due_at: Some(now()), ..owned("salts", 10) }));
    assert!(!offered(Owned { returned: true, ..owned("salts", 40) }));
}

#[test]
fn what_was_sent_back_recommends_nothing() {
    let graph = graph();
    let history = [Owned { returned: true, ..owned("boot", 20) }];
    let request = Request { history: &history, ..request() };
    let related = graph.recommend(&request, &Stand::default());
    assert!(related.iter().all(|r| r.path.is_empty()), "{}", shown(&related));
}

#[test]
fn two_nodes_are_explained_by_the_shortest_then_strongest_path() {
    let graph = graph();
    let path = |from: &str, to: &str| {
        let nodes = [from, to].map(|name| NodeRef::Product(id(name)));
        graph.explain(&nodes[0], &nodes[1], &Language::EN).map(|path| compact(&path))
    };
    assert_eq!(path("boot", "spray").as_deref(), Some("boot -accessory-> spray"));
    assert_eq!(path("spray", "boot").as_deref(), Some("spray <-accessory- boot"));
    assert_eq!(path("spray", "insole").as_deref(), Some("spray <-accessory- boot -accessory-> insole"));
    assert_eq!(path("sandal", "map").as_deref(), Some("sandal -has_attribute-> tag=outdoor <-has_attribute- map"));
    assert_eq!(path("boot", "boot"), None);
    assert_eq!(path("boot", "unknown"), None);
    let guide = NodeRef::Guide(kit::GuideId::new("first-tour").unwrap());
    let tour = graph.explain(&NodeRef::Product(id("spray")), &guide, &Language::EN).unwrap();
    assert_eq!(
        compact(&tour),
        "spray <-accessory- boot -serves_intent-> first-multi-day-hike <-serves_intent- first-tour"
    );
}

#[test]
fn one_of_three_is_of_higher_margin() {
    let graph = graph();
    // Of what is left here, only the socks earn more than the shop's median product.
    let out = ["spray", "insole", "salts", "boot-low", "boot-light"].map(id).into();
    let basket = [id("pack")];
    let request = Request { basket: &basket, k: 3, ..request() };
    let found = graph.recommend(&request, &Stand { out, ..Stand::default() });
    assert!(found.iter().any(|r| r.product == id("socks")), "{}", shown(&found));
}
