//! What a slip of the hand must not do: lock a shop. A release or an import that does not fit is refused, and a shop that
//! holds one all the same (an older build let it in) still opens for its mending.

use std::fs;
use std::path::{Path, PathBuf};

use kit::{Currency, Money, Principal};
use mailwright::store::Store;

use crate::binary::{AFTERNOON, Folder, MORNING, block_on, webhook};

/// The release in force as files, outside of what the shop itself keeps.
fn exported(folder: &Folder) -> PathBuf {
    let dir = folder.path().join("given/shop-files");
    let told = folder.run(MORNING, &["release", "export", dir.to_str().unwrap()]);
    assert!(told.status.success(), "{told:?}");
    dir
}

fn change(dir: &Path, file: &str, change: impl FnOnce(String) -> String) {
    let path = dir.join(file);
    fs::write(&path, change(fs::read_to_string(&path).unwrap())).unwrap();
}

fn apply(folder: &Folder, dir: &Path, more: &[&str]) -> crate::binary::Told {
    folder.run(MORNING, &[&["release", "apply", dir.to_str().unwrap(), "--as", "nora"], more].concat())
}

#[test]
fn a_release_that_does_not_fit_the_catalogue_is_refused() {
    let folder = Folder::new();
    let dir = exported(&folder);
    let before = folder.state();
    change(&dir, "knowledge/graph/gear.toml", |text| text.replacen("TT-1001", "TT-XXXX", 1));
    apply(&folder, &dir, &[]).failed(1, &["gear.toml:8", "product `TT-XXXX` is not in the catalogue"]);
    change(&dir, "knowledge/graph/gear.toml", |text| text.replacen("TT-XXXX", "TT-1001", 1));
    for file in ["knowledge/shop.toml", "knowledge/offers/ladder.toml"] {
        change(&dir, file, |text| text.replace("\"EUR\"", "\"USD\""));
    }
    apply(&folder, &dir, &[]).failed(1, &["shop.toml", "currency USD", "priced in EUR"]);
    assert_eq!(folder.state(), before);
}

#[test]
fn an_import_in_another_currency_is_refused() {
    let folder = Folder::new();
    let line = include_str!("../../knowledge/sample-shop/products/packs.jsonl").lines().next().unwrap();
    let dollars = folder.file("dollars.jsonl", line.replace("\"EUR\"", "\"USD\""));
    let before = folder.state();
    let told = folder.run(MORNING, &["catalog", "import", &dollars]);
    told.failed(1, &["dollars.jsonl", "priced in USD, this shop sells in EUR", "nothing was imported"]);
    assert_eq!(folder.state(), before);
}

/// As an older build left it: both faults in force.
fn locked() -> (Folder, String) {
    let folder = Folder::new();
    let ada = webhook("shopify-checkouts-update-ada");
    assert!(folder.run(MORNING, &["trigger", "shopify", "checkouts/update", &ada]).status.success());
    let good = folder.rows("SELECT active_release FROM shops").pop().unwrap();
    block_on(async {
        let store = Store::open(folder.path()).await.unwrap();
        let shop = store.shop(&kit::ShopId::new(shop_id(&store).await).unwrap());
        let (_, mut files) = shop.active_release().await.unwrap().unwrap();
        let gear = files.get_mut("knowledge/graph/gear.toml").unwrap();
        *gear = gear.replacen("TT-1001", "TT-XXXX", 1);
        let (limits, now) = (shop.limits().await.unwrap().unwrap(), MORNING.parse().unwrap());
        shop.activate_release("Tarn & Trail", &files, limits, &Principal::System, now).await.unwrap();
        let mut rows = shop.products().await.unwrap();
        rows.retain(|row| row.id.as_str() == "TT-1101");
        rows[0].price = Money::new(rows[0].price.minor, Currency::parse("USD").unwrap());
        shop.put_products(rows, AFTERNOON.parse().unwrap()).await.unwrap();
        store.close().await;
    });
    (folder, good)
}

async fn shop_id(store: &Store) -> String {
    let any = store.shop(&kit::ShopId::new("any").unwrap());
    any.shop_ids().await.unwrap().pop().unwrap()
}

#[test]
fn a_shop_that_holds_a_fault_opens_for_its_mending() {
    let (folder, good) = locked();
    let id = folder.json(AFTERNOON, &["approvals", "list"])[0]["approval"].as_str().unwrap().to_owned();
    for command in [&["audit", "list"][..], &["sends", "list"], &["runs", "list"], &["release", "show"]] {
        let told = folder.run(AFTERNOON, command);
        assert!(told.status.success() && told.err.is_empty(), "{command:?}: {told:?}");
    }
    for command in [&["runs", "resume"][..], &["catalog", "search", "boot"], &["approvals", "show", &id]] {
        let told = folder.run(AFTERNOON, command);
        assert!(told.status.success(), "{command:?}: {told:?}");
        for words in ["warning: left out: product TT-1101 is priced in USD", "gear.toml:8"] {
            assert!(told.err.contains(words), "{command:?}: {}", told.err);
        }
    }
    // The price first: what comes back must fit.
    let products =
        folder.file("again.jsonl", include_str!("../../knowledge/sample-shop/products/shells-insulation.jsonl"));
    let told = folder.run(AFTERNOON, &["catalog", "import", &products]);
    assert!(told.status.success(), "{told:?}");
    let told = folder.run(AFTERNOON, &["release", "rollback", &good, "--as", "nora"]);
    assert!(told.status.success(), "{told:?}");
    let told = folder.run(AFTERNOON, &["approvals", "approve", &id, "--as", "nora"]);
    assert!(told.status.success() && !told.err.contains("left out"), "{told:?}");
    assert_eq!(folder.mails().len(), 1);
}

#[test]
fn what_can_only_be_a_mistake_is_refused() {
    let folder = Folder::new();
    let dir = exported(&folder);
    let before = folder.state();
    let cases: [(&str, &str, &[&str]); 6] = [
        ("prompts/agent/system.md", " \n", &["prompts/agent/system.md: the file is empty"]),
        (
            "prompts/agent/system.md",
            "One.\nWrite for {{nope.x}}.\n",
            &["system.md, line 2", "nope.x", "no placeholder"],
        ),
        ("knowledge/brand/voice.md", "Say {{shop.nmae}}.\n", &["voice.md, line 1", "shop.nmae"]),
        ("knowledge/brand/foo.txt", "mine", &["knowledge/brand/foo.txt", "misspelt", "knowledge/brand/rules.toml"]),
        ("shop.toml", "mine", &["shop.toml", "misspelt"]),
        ("knowledge/policy/risk.toml", "", &["[flow.nope]", "no such flow", "win-back"]),
    ];
    for (file, text, words) in cases {
        let path = dir.join(file);
        let was = fs::read_to_string(&path).ok();
        let text = match (&was, text) {
            (Some(was), "") => format!("{was}\n[flow.nope]\ntrust = \"open\"\n"),
            (_, text) => text.to_owned(),
        };
        fs::write(&path, text).unwrap();
        apply(&folder, &dir, &[]).failed(1, words);
        match was {
            Some(was) => fs::write(&path, was).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
    }
    #[cfg(unix)]
    {
        let file = dir.join("knowledge/graph/more.toml");
        std::os::unix::fs::symlink(dir.join("knowledge/graph/gear.toml"), &file).unwrap();
        apply(&folder, &dir, &[]).failed(1, &["more.toml: links are not followed"]);
        fs::remove_file(file).unwrap();
    }
    for name in ["", "flow:win-back", "system"] {
        let dir = dir.to_str().unwrap();
        folder.run(MORNING, &["release", "apply", dir, "--as", name]).failed(1, &["say who you are"]);
    }
    assert_eq!(folder.state(), before);
}

#[test]
fn a_release_goes_in_force_in_somebodys_name_and_says_what_it_changes() {
    let folder = Folder::new();
    let dir = exported(&folder);
    change(&dir, "knowledge/policy/sending.toml", |text| text.replace("from = 21", "from = 8"));
    fs::remove_file(dir.join("knowledge/graph/camp-guides.toml")).unwrap();
    let told = apply(&folder, &dir, &[]);
    assert!(told.status.success() && told.out.contains("changed  knowledge/policy/sending.toml  +1 -1"), "{told:?}");
    assert!(told.err.contains("quiet hours: none") && told.err.contains("(--whole removes them)"), "{told:?}");
    let who = "SELECT who FROM audit WHERE action = 'release.in_force' ORDER BY seq DESC LIMIT 1";
    assert_eq!(folder.rows(who), ["user:nora"]);
    let told = apply(&folder, &dir, &[]);
    assert!(told.status.success() && told.out.contains("nothing changes"), "{told:?}");
    let told = apply(&folder, &dir, &["--whole"]);
    assert!(told.out.contains("removed  knowledge/graph/camp-guides.toml"), "{told:?}");
    let files = folder.json(MORNING, &["release", "show"])["files"].to_string();
    assert!(!files.contains("camp-guides.toml") && files.contains("gear-guides.toml"), "{files}");
}
