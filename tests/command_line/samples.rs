//! The platforms' own sample bodies, where they are at hand beside the repository.

use std::path::PathBuf;

use super::*;

/// A sample, or `None` with a word about it.
fn sample(name: &str) -> Option<String> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/specs").join(name);
    if file.is_file() {
        return Some(file.to_str().unwrap().to_owned());
    }
    println!("skipped: {} is not there", file.display());
    None
}

#[test]
fn every_sample_is_taken_in_and_says_what_came_of_it() {
    let folder = Folder::new();
    let said_by_shopify = [
        ("checkouts_update", "checkouts/update", "does not begin: "),
        ("checkouts_create", "checkouts/create", "does not begin: "),
        ("carts_update", "carts/update", "does not begin: the event names no customer we could write to"),
        ("orders_create", "orders/create", "no flow listens to this topic"),
        ("orders_cancelled", "orders/cancelled", "does not begin: "),
        ("orders_fulfilled", "orders/fulfilled", "does not begin: "),
        ("customers_create", "customers/create", "no flow listens to this topic"),
        ("customers_update", "customers/update", "no flow listens to this topic"),
        ("customers_data_request", "customers/data_request", "what is stored is in "),
        ("customers_redact", "customers/redact", "erased, with 0 message(s) and 1 file(s)"),
        (
            "customers_email_marketing_consent_update",
            "customers_email_marketing_consent/update",
            "no flow listens to this topic",
        ),
    ];
    let shopify =
        said_by_shopify.map(|(name, topic, said)| (format!("shopify/samples/{name}.json"), "shopify", topic, said));
    let generic = (
        "generic/samples/cart.updated.json".to_owned(),
        "generic",
        "cart.updated",
        "does not begin: none of its products is in the catalogue",
    );
    for (name, source, topic, said) in shopify.into_iter().chain([generic]) {
        let Some(file) = sample(&name) else { continue };
        let told = folder.run(MORNING, &["trigger", source, topic, &file]);
        assert!(told.status.success(), "{name}: {told:?}");
        assert!(told.out.contains(&format!("event {source} {topic}")), "{name}: {}", told.out);
        assert!(told.out.contains(said), "{name}: `{said}` is not said\n{}", told.out);
        let state = folder.state();
        let again = folder.run(MORNING, &["trigger", source, topic, &file]);
        assert!(again.status.success() && again.out.contains("this delivery came before"), "{name}: {again:?}");
        assert_eq!(folder.state(), state, "{name}");
    }
    let unfinished = folder.rows("SELECT state || ' ' || topic FROM inbox WHERE state <> 'done'");
    assert_eq!(unfinished, [] as [&str; 0]);
}
