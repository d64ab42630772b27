//! Nobody decides in time, and the process dies while the control takes the place of the message.

use std::fs;

use super::failpoints::dies;
use super::*;

/// When the request has lapsed, and it is day.
const TOO_LATE: &str = "2026-11-19T14:00:00Z";
const WORDS: &str = r#"schema = "mailwright.control/1"
[text.en]
subjects = ["What you put in your cart", "Your cart, as you left it", "A note on your cart"]
preheader = "Everything is where you left it, and it stays there."
heading = "Still in your cart"
paragraphs = ["Hi {{customer.first_name}}, what you put in your cart is still there."]
product = "In your cart."
button = { to = "cart", label = "Open your cart" }
"#;

/// A message waits whose flow has a control that somebody approved; with the names of both.
fn waiting_with_a_control() -> (Folder, String, String) {
    let folder = Folder::new();
    let files = folder.path().join("given-release");
    let dir = files.to_str().unwrap();
    assert!(folder.run(MORNING, &["release", "export", dir]).status.success());
    let flow = files.join("prompts/flows/abandoned-checkout.md");
    let shipped = fs::read_to_string(&flow).unwrap();
    fs::write(&flow, shipped.replace("risk = \"standard\"", "risk = \"standard\"\non_expiry = \"control\"")).unwrap();
    // The clock of this story stands still: a minute in which it can be recalled would never be over.
    let approvals = files.join("knowledge/policy/approvals.toml");
    let shipped = fs::read_to_string(&approvals).unwrap();
    fs::write(&approvals, shipped.replace("[recall]\nseconds = 60", "[recall]\nseconds = 0")).unwrap();
    fs::create_dir_all(files.join("prompts/controls")).unwrap();
    fs::write(files.join("prompts/controls/abandoned-checkout.toml"), WORDS).unwrap();
    folder.json(MORNING, &["release", "apply", dir, "--as", "nora"]);
    let shown = folder.json(MORNING, &["approvals", "control", "show", "abandoned-checkout"]);
    let control = shown["control"].as_str().unwrap().to_owned();
    assert!(shown["findings"].as_array().unwrap().iter().all(|found| found["severity"] == "warn"), "{shown}");
    let approve = ["approvals", "control", "approve", "abandoned-checkout", "--seen", &control, "--as", "nora"];
    folder.json(MORNING, &approve);
    assert!(leave_checkout(&folder).status.success());
    let asked = pending(&folder).unwrap();
    (folder, control, asked)
}

/// The request is closed, one approval stands in by this control, and one mail has left with it.
#[track_caller]
fn exactly_one_control(folder: &Folder, control: &str, asked: &str) {
    let told = |sql| folder.rows(sql).join("; ");
    let keys = folder.rows("SELECT dedupe_key FROM sends WHERE state = 'sent'");
    let [key] = keys.as_slice() else { panic!("one send, not {keys:?}: {:#?}", folder.state()) };
    assert_eq!(told("SELECT dedupe_key FROM sends"), *key);
    let mails = folder.mails();
    assert_eq!(mails.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), [format!("{key}.eml")]);
    assert!(mails[0].1.contains("Subject: What you put in your cart"), "{}", mails[0].1);
    assert_eq!(
        told(
            "SELECT state || ' ' || COALESCE(control_id, '') || ' ' || COALESCE(used_by, '') FROM approvals ORDER BY state"
        ),
        format!("approved {control} {key}; expired  ")
    );
    assert_eq!(told("SELECT approval_id FROM approvals WHERE state = 'expired'"), asked);
    assert_eq!(told("SELECT state FROM runs"), "done");
    assert!(folder.opened()[0].outcome().contains("\"sent\""), "{}", folder.opened()[0].outcome());
    assert_eq!(told("SELECT seq FROM signals WHERE consumed = 0"), "");
    let audited = "SELECT action || ' ' || COUNT(*) FROM audit
        WHERE action LIKE 'approval.%' OR action LIKE 'control.%' OR action LIKE 'send.%' GROUP BY action ORDER BY action";
    assert_eq!(
        told(audited),
        "approval.expired 1; approval.open 1; control.approved 1; control.stands_in 1; send.reserved 1; send.sent 1"
    );
}

#[test]
fn between_the_control_that_stands_in_and_its_mail() {
    let (seen, control, asked) = waiting_with_a_control();
    let places = [
        ("after_control", 0),
        ("before_reserve", 0),
        ("after_reserve", 0),
        ("after_begin_attempt", 0),
        ("after_deliver", 1),
        ("after_settle", 1),
        ("before_finish", 1),
    ];
    for (failpoint, mails) in places {
        let folder = seen.copy();
        dies(&folder, TOO_LATE, &["runs", "resume"], failpoint);
        assert_eq!(folder.mails().len(), mails, "{failpoint}");
        assert_eq!(folder.rows("SELECT state FROM approvals ORDER BY state"), ["approved", "expired"], "{failpoint}");
        // Whoever comes now is too late, and is told what took the place of what they looked at.
        let late = folder.run(TOO_LATE, &["approvals", "approve", &asked, "--as", "nora"]);
        late.failed(1, &["nobody decided about", &asked, "in time: the control"]);
        for _ in 0..6 {
            if at_its_end(&folder) {
                break;
            }
            folder.json(TOO_LATE, &["runs", "resume"]);
        }
        exactly_one_control(&folder, &control, &asked);
        let before = folder.state();
        assert_eq!(folder.json(TOO_LATE, &["runs", "resume"]), serde_json::json!([]));
        assert_eq!(folder.state(), before, "{failpoint}");
    }
}
