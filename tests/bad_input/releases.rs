//! Releases: a file that is wrong anywhere is named with its line, and the release in force stays.

use mailwright::release::{self, Files};
use mailwright::store::Store;
use mailwright::tenant::Tenant;

use crate::binary::{Folder, MORNING, block_on};

/// The line on which a text first stands.
fn line_of(text: &str, part: &str) -> usize {
    let at = text.find(part).unwrap_or_else(|| panic!("`{part}` is not in the file"));
    1 + text[..at].matches('\n').count()
}

#[test]
fn what_is_wrong_is_named_and_the_release_in_force_stays() {
    // The file, a text of it, what stands there instead.
    let cases = [
        ("prompts/flows/win-back.md", "wait = ", "wait = \"soon\" #"),
        ("prompts/flows/win-back.md", "triggers = ", "trigger = "),
        ("prompts/flows/post-purchase.md", "occasion = ", "occasion = \"decade\" #"),
        ("prompts/flows/abandoned-checkout.md", "cancel_on = [", "cancel_on = [\"order.dreamt\", "),
        ("knowledge/brand/rules.toml", "[claims]", "[claims]\nclaims = 7"),
        ("knowledge/brand/rules.toml", "unmatched = ", "unmatched = \"perhaps\" #"),
        ("knowledge/brand/claims.toml", "expires = ", "expires = \"never\" #"),
        ("knowledge/offers/ladder.toml", "max_percent = ", "max_percent = 150 #"),
        ("knowledge/offers/ladder.toml", "[[step]]", "[[step]"),
        ("knowledge/policy/risk.toml", "vip = ", "wip = "),
        ("knowledge/policy/risk.toml", "expires_hours = ", "expires_hours = -1 #"),
        ("knowledge/policy/sending.toml", "cap_day = ", "cap_day = \"one\" #"),
        ("knowledge/policy/sending.toml", "from = ", "from = 25 #"),
        ("knowledge/shop.toml", "currency = ", "currency = \"EURO\" #"),
        ("knowledge/graph/gear.toml", "relation = ", "relation = \"cousin\" #"),
        ("prompts/offline/en.toml", "subjects = [", "subjects = [7, "),
    ];
    let folder = Folder::new();
    let before = folder.state();
    block_on(async {
        let store = Store::open(folder.path()).await.unwrap();
        for (path, part, instead) in cases {
            let mut files = release::defaults();
            let text = files.get(path).unwrap_or_else(|| panic!("there is no {path}")).clone();
            files.insert(path.to_owned(), text.replacen(part, instead, 1));
            let said = refusal(&store, files).await;
            let line = line_of(&text, part);
            let near = (line..=line + 1).any(|n| {
                [format!(", line {n}"), format!(":{n}:"), format!("line {n}:")].iter().any(|form| said.contains(form))
            });
            assert!(said.contains(path) && near, "{path}, line {line}, `{instead}`: {said}");
        }
        for path in
            ["knowledge/shop.toml", "knowledge/policy/risk.toml", "knowledge/brand/voice.md", "prompts/agent/system.md"]
        {
            let mut files = release::defaults();
            files.remove(path);
            assert_eq!(refusal(&store, files).await, format!("the release has no file {path}"));
        }
        store.close().await;
    });
    assert_eq!(folder.state(), before);
}

async fn refusal(store: &Store, files: Files) -> String {
    Tenant::set_up(store, files, MORNING.parse().unwrap()).await.unwrap_err().to_string()
}
