//! Curated files: every fault is named with its place.

use kit::{Language, ProductId};
use mailwright_graph::*;

use crate::shop::*;

fn faults(text: &str) -> String {
    Curated::parse("graph.toml", text).unwrap_err().to_string()
}

const EDGE: &str =
    "[[edge]]\nfrom = \"boot\"\nto = \"spray\"\nrelation = \"accessory\"\nweight = 0.9\nwhy = \"because\"\n";

#[test]
fn all_faults_of_a_file_come_at_once_with_their_lines() {
    let text = r#"[[edge]]
from = "boot"
to = "spray"
relation = "goes_with"
weight = 1.5
why = " "

[[edge]]
from = "boot"
to = "boot"
relation = "next"
weight = 0.5
why = "again"

[[intent]]
id = ""
label = "x"
products = ["boot", " spray"]

[[guide]]
id = "g"
title = "T"
url = "http://fern.example/g"
summary = "S"
products = []

[[guide]]
id = "g"
title = "T"
url = "https://fern.example/g"
summary = "S"
products = []
"#;
    assert_eq!(
        faults(text),
        "graph.toml:4: unknown relation `goes_with`; use accessory, substitute or next\n\
         graph.toml:5: weight 1.5 is out of range; use more than 0 and at most 1\n\
         graph.toml:6: `why` is empty; write a few words or leave an optional key out\n\
         graph.toml:9: `boot` is related to itself; name two products\n\
         graph.toml:16: IntentId is empty\n\
         graph.toml:18: ProductId holds a control character or blanks at its edges\n\
         graph.toml:23: `http://fern.example/g` is no absolute https link\n\
         graph.toml:28: guide g is given twice; keep one"
    );
}

#[test]
fn syntax_and_unknown_keys_name_the_line() {
    let unknown = faults(&format!("{EDGE}colour = \"red\"\n"));
    assert!(unknown.starts_with("graph.toml:7: unknown field `colour`, expected one of `from`"), "{unknown}");
    let missing = faults(&EDGE.replace("weight = 0.9\n", ""));
    assert!(missing.starts_with("graph.toml:1: missing field `weight`"), "{missing}");
    let mistyped = faults(&EDGE.replace("0.9", "\"much\""));
    assert!(mistyped.starts_with("graph.toml:5: invalid type: string \"much\", expected f32"), "{mistyped}");
    let broken = faults("[[edge]\nfrom = 1");
    assert!(broken.starts_with("graph.toml:1: "), "{broken}");
    for weight in ["0.0", "-0.1", "nan", "inf"] {
        assert!(faults(&EDGE.replace("0.9", weight)).contains("out of range"), "{weight}");
    }
    assert!(faults(&format!("{EDGE}{EDGE}")).contains("graph.toml:8: boot -accessory-> spray is given twice"));
}

#[test]
fn the_builder_names_what_dangles() {
    let text = "[[edge]]\nfrom = \"boot\"\nto = \"gone\"\nrelation = \"next\"\nweight = 1\nwhy = \"x\"\n\
                [[guide]]\nid = \"membranes\"\ntitle = \"T\"\nurl = \"https://fern.example/g\"\nsummary = \"S\"\n\
                intent = \"nothing\"\nproducts = [\"lost\"]\n";
    let mut twice = products();
    twice.push(products()[0].clone());
    let stray = Interaction { customer: 1, product: 99, basket: 1, at: now() };
    let error = GraphBuilder::new(twice)
        .curated(Curated::parse("a.toml", CURATED).unwrap())
        .curated(Curated::parse("b.toml", text).unwrap())
        .orders([stray, stray])
        .build(now())
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the product graph cannot be built:\n\
         - the catalogue has product `boot` twice; keep one\n\
         - 2 order lines name a product position beyond 13 products, the first is 99\n\
         - b.toml:8: guide membranes is already defined in another file; keep one\n\
         - b.toml:3: product `gone` is not in the catalogue; correct the id or remove the entry\n\
         - b.toml:13: product `lost` is not in the catalogue; correct the id or remove the entry\n\
         - b.toml:12: intent `nothing` is not defined; add an [[intent]] or correct the id"
    );
}

#[test]
fn what_is_written_can_be_read_back_from_the_graph() {
    let graph = graph();
    let boot = NodeRef::Product(id("boot"));
    let accessories: Vec<_> = graph
        .neighbours(&boot, Some(Relation::Accessory), 9, &Language::DE)
        .into_iter()
        .map(|n| (n.step.to.to_string(), n.weight, n.step.why, n.provenance, n.as_of))
        .collect();
    assert_eq!(
        accessories,
        [
            ("spray".into(), 0.9, Some("hält die Membran atmungsaktiv".into()), Provenance::Curated, days_ago(1)),
            ("insole".into(), 0.5, None, Provenance::Curated, days_ago(1)),
        ]
    );
    let all = graph.neighbours(&boot, None, 99, &Language::EN);
    let lines: Vec<String> = all.iter().map(|n| compact(std::slice::from_ref(&n.step))).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    boot -accessory-> spray
    boot -accessory-> insole
    boot -bought_next-> socks
    boot -bought_next-> bottle
    boot -bought_together-> socks
    boot -bought_together-> bottle
    boot -serves_intent-> first-multi-day-hike
    boot -substitute-> boot-light
    boot <-explains- membranes
    boot -in_category-> footwear/hiking-boots
    boot -has_attribute-> tag=outdoor
    boot -has_attribute-> membrane=yes
    boot -has_attribute-> upper=leather
    ");
    let titles = |language| graph.guides(&id("boot"), &language).into_iter().map(|g| g.title).collect::<Vec<_>>();
    assert_eq!(titles(Language::EN), ["Caring for membranes", "Your first tour"]);
    assert_eq!(titles(Language::DE), ["Membranen pflegen", "Your first tour"]);
    assert_eq!(graph.guides(&id("unknown"), &Language::EN), []);
    assert!(graph.contains(&id("boot")) && !graph.contains(&ProductId::new("x").unwrap()));
}
