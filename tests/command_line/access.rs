//! Who decides on the command line: the folder's owner while there are no users, then only who shows a token that suffices.

use super::*;
use crate::engine::waiting;

/// A command with a token in its environment.
fn with_token(folder: &Folder, token: &str, args: &[&str]) -> crate::binary::Told {
    told(folder.command(AFTERNOON, args).env("MAILWRIGHT_TOKEN", token))
}

fn create(folder: &Folder, token: Option<&str>, name: &str, role: &str) -> String {
    let mut command = folder.command(AFTERNOON, &["tokens", "create", name, "--role", role, "--json"]);
    if let Some(token) = token {
        command.env("MAILWRIGHT_TOKEN", token);
    }
    let made = told(&mut command);
    assert!(made.status.success(), "{made:?}");
    serde_json::from_str::<Value>(&made.out).unwrap()["secret"].as_str().unwrap().to_owned()
}

#[test]
fn once_there_are_users_a_name_alone_decides_nothing() {
    let (folder, _, approval) = waiting();
    let admin = create(&folder, None, "ada", "admin");
    let nora = create(&folder, Some(&admin), "Nora", "approver");
    let mark = create(&folder, Some(&admin), "mark", "marketer");
    let before = folder.rows("SELECT state FROM approvals");

    let decisions: [&[&str]; 11] = [
        &["approvals", "approve", &approval, "--as", "nora"],
        &["approvals", "reject", &approval, "--as", "nora", "--reason", "no"],
        &["approvals", "recall", &approval, "--as", "nora", "--reason", "no"],
        &["approvals", "solo", "on", "--as", "ada", "--reason", "alone"],
        &["approvals", "trust", "raise", "abandoned-checkout", "--to", "notify", "--as", "ada"],
        &["kill", "off", "shop", "--as", "ada"],
        &["release", "rollback", "", "--as", "ada"],
        &["profile", "show", "C-ADA", "--unmask", "--as", "ada", "--reason", "a call"],
        &["audit", "export", "never.json"],
        &["tokens", "create", "eve", "--role", "admin"],
        &["connections", "remove", "main"],
    ];
    for decision in decisions {
        folder.run(AFTERNOON, decision).failed(1, &["this shop has users, so this takes a token", "MAILWRIGHT_TOKEN"]);
        with_token(&folder, "mw_0000", decision).failed(1, &["unknown or revoked"]);
        with_token(&folder, &mark, decision).failed(1, &["this takes the role", "mark has marketer"]);
    }
    assert_eq!(folder.rows("SELECT state FROM approvals"), before);
    let approve = ["approvals", "approve", &approval, "--as", "sam"];
    with_token(&folder, &nora, &approve).failed(1, &["by your token you are nora, not sam"]);

    // A token in a file, whose owner may.
    let file = folder.file("nora.token", format!("{nora}\n"));
    let mut command = folder.command(AFTERNOON, &["approvals", "approve", &approval, "--as", "nora", "--no-wait"]);
    let approved = told(command.env("MAILWRIGHT_TOKEN_FILE", &file));
    assert!(approved.status.success(), "{approved:?}");
    let trail = folder.json(AFTERNOON, &["audit", "list", "--limit", "2"]);
    assert_eq!((&trail[0]["who"], &trail[0]["action"]), (&json!("user:nora"), &json!("approval.approved")));
    let signed = trail.as_array().unwrap().iter().find(|row| row["action"] == "person.known");
    let known = signed.cloned().unwrap_or_else(|| {
        folder
            .json(AFTERNOON, &["audit", "list"])
            .as_array()
            .unwrap()
            .iter()
            .find(|r| r["action"] == "person.known")
            .unwrap()
            .clone()
    });
    assert_eq!((&known["who"], &known["subject"]), (&json!("user:nora"), &json!("approvals approve")));
    let detail = known["detail"].as_str().unwrap();
    assert!(detail.starts_with("by the token tok-") && detail.ends_with(", role approver"), "{detail}");

    // A token that is ended counts no more; stopping needs none.
    let ended = told(folder.command(AFTERNOON, &["tokens", "list", "--json"]).env("MAILWRIGHT_TOKEN", &admin));
    let tokens: Value = serde_json::from_str(&ended.out).unwrap();
    let id =
        tokens.as_array().unwrap().iter().find(|t| t["name"] == "nora").unwrap()["id"].as_str().unwrap().to_owned();
    assert!(with_token(&folder, &admin, &["tokens", "revoke", &id]).status.success());
    let solo = ["approvals", "recall", &approval, "--as", "nora", "--reason", "late"];
    with_token(&folder, &nora, &solo).failed(1, &["unknown or revoked"]);
    assert!(folder.run(AFTERNOON, &["kill", "on", "shop", "--as", "anybody", "--reason", "fire"]).status.success());
    folder.run(AFTERNOON, &["kill", "off", "shop", "--as", "anybody"]).failed(1, &["takes a token of the role admin"]);
    assert!(with_token(&folder, &admin, &["kill", "off", "shop", "--as", "ada"]).status.success());
    folder.json(AFTERNOON, &["audit", "verify"]);
}

#[test]
fn a_folder_without_users_is_its_owners_and_a_lost_admin_is_mended_by_them() {
    let (folder, _, approval) = waiting();
    assert!(folder.run(AFTERNOON, &["approvals", "approve", &approval, "--as", "nora", "--no-wait"]).status.success());
    // Nobody showed a token: the trail names who decided, and says nothing of how that is known.
    assert_eq!(folder.rows("SELECT who FROM audit WHERE action = 'approval.approved'"), ["user:nora"]);
    assert_eq!(folder.rows("SELECT who FROM audit WHERE action = 'person.known'"), <[&str; 0]>::default());
    // Only a viewer has a token: decisions take one, and the owner can still make an admin.
    create(&folder, None, "vera", "viewer");
    let solo = ["approvals", "solo", "on", "--as", "ada", "--reason", "alone"];
    folder.run(AFTERNOON, &solo).failed(1, &["takes a token of the role admin"]);
    let admin = create(&folder, None, "ada", "admin");
    assert!(with_token(&folder, &admin, &solo).status.success());
}
