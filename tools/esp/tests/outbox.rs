//! The Maildir outbox: structure of the files, one file per key, nothing half-written.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use kit::message::{Rendered, Reserved};
use kit::person::Email;
use mail_parser::{MessageParser, MimeHeaders as _};
use mailwright_esp::{Accepted, Esp as _, EspError, Lookup, Outbox};
use support::*;

fn deliver(outbox: &Outbox, message: &Reserved) -> Result<Accepted, EspError> {
    finish(outbox.deliver(message, now()))
}

fn files(root: &Path, folder: &str) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(root.join(folder)).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    files
}

/// Delivers one message and returns its bytes.
fn delivered(message: Rendered) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(dir.path()).unwrap();
    deliver(&outbox, &reserved("one", message)).unwrap();
    let new = files(dir.path(), "new");
    assert_eq!((new.len(), files(dir.path(), "tmp").len()), (1, 0));
    fs::read(&new[0]).unwrap()
}

fn refused(message: Rendered) -> String {
    let dir = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(dir.path()).unwrap();
    let fault = deliver(&outbox, &reserved("one", message)).unwrap_err();
    assert!(matches!(fault, EspError::Refused { .. }) && !fault.is_retryable(), "{fault}");
    assert_eq!(files(dir.path(), "new").len() + files(dir.path(), "tmp").len(), 0);
    fault.to_string()
}

#[tokio::test]
async fn conforms() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(dir.path()).unwrap();
    conformance(&outbox, |occasion| reserved(occasion, rendered())).await;
    assert_eq!((files(dir.path(), "new").len(), files(dir.path(), "tmp").len()), (3, 0));
}

#[test]
fn a_file_is_a_whole_mail() {
    let key = reserved("one", rendered()).key();
    let bytes = delivered(rendered());
    insta::assert_snapshot!(String::from_utf8(bytes.clone()).unwrap().replace('\r', ""));

    let mail = MessageParser::default().parse(&bytes).unwrap();
    let one = |address: Option<&mail_parser::Address<'_>>| {
        let list: Vec<_> =
            address.unwrap().iter().map(|a| (a.name().map(str::to_owned), a.address().unwrap().to_owned())).collect();
        assert_eq!(list.len(), 1);
        list[0].clone()
    };
    assert_eq!(mail.subject(), Some("Your boots can be resoled"));
    assert_eq!(one(mail.from()), (Some("Fern & Fell".into()), "hello@mail.fern.example".into()));
    assert_eq!(one(mail.reply_to()), (None, "care@fern.example".into()));
    assert_eq!(one(mail.to()), (None, "aoife@example.com".into()));
    assert_eq!(mail.date().unwrap().to_rfc3339(), "2026-03-02T09:30:00Z");
    assert_eq!(mail.message_id(), Some(format!("{key}@mail.fern.example").as_str()));
    assert_eq!(mail.header_raw("X-Mailwright-Key").map(str::trim), Some(key.to_string().as_str()));
    assert_eq!(mail.header_raw("List-Unsubscribe").map(str::trim), Some("<https://mail.fern.example/u/k3J9>"));
    assert_eq!(mail.header_raw("List-Unsubscribe-Post").map(str::trim), Some("List-Unsubscribe=One-Click"));

    let content = mail.content_type().unwrap();
    assert_eq!((content.ctype(), content.subtype()), ("multipart", Some("alternative")));
    let kinds: Vec<_> = mail.parts[1..]
        .iter()
        .map(|p| {
            let kind = p.content_type().unwrap();
            format!("{}/{} {}", kind.ctype(), kind.subtype().unwrap(), kind.attribute("charset").unwrap())
        })
        .collect();
    assert_eq!(kinds, ["text/plain utf-8", "text/html utf-8"]);
    let lf = |text: std::borrow::Cow<'_, str>| text.replace("\r\n", "\n");
    assert_eq!(lf(mail.body_text(0).unwrap()).trim_end(), rendered().text.trim_end());
    assert_eq!(lf(mail.body_html(0).unwrap()).trim_end(), rendered().html.trim_end());
}

#[test]
fn the_same_message_is_the_same_bytes() {
    assert_eq!(delivered(rendered()), delivered(rendered()));
}

#[test]
fn emoji_long_words_and_long_lines_arrive_as_written_in_seven_bits() {
    let long = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft";
    let message = Rendered {
        subject: format!("🥾 {long} – {long} – für „Größe“ {}", "sehr ".repeat(60).trim_end()),
        from_name: "Bärenfährte 🐻 \"Outdoor, Co.\" <shop>".into(),
        html: format!("<p>{}</p>\n<p>.</p>\nFrom here\n", "ü leather ".repeat(2_000)),
        text: format!("{}\n.\nFrom here\n{long}\u{a0}€\n", "x".repeat(3_000)),
        ..rendered()
    };
    let bytes = delivered(message.clone());
    assert!(bytes.is_ascii());
    let longest = bytes.split(|b| *b == b'\n').map(<[u8]>::len).max().unwrap();
    // Message-ID and our own key have no blank to fold at; everything else fits the advised 78.
    assert!(longest <= 110, "{longest} bytes in a line");
    assert!(bytes.windows(2).all(|w| w[1] != b'\n' || w[0] == b'\r'), "a bare LF");

    let mail = MessageParser::default().parse(&bytes).unwrap();
    assert_eq!(mail.subject(), Some(message.subject.as_str()));
    assert_eq!(mail.from().unwrap().first().unwrap().name(), Some(message.from_name.as_str()));
    assert_eq!(mail.body_text(0).unwrap().replace("\r\n", "\n"), message.text);
    assert_eq!(mail.body_html(0).unwrap().replace("\r\n", "\n"), message.html);
}

#[test]
fn no_header_can_start_another() {
    let with = |edit: fn(&mut Rendered)| {
        let mut message = rendered();
        edit(&mut message);
        refused(message)
    };
    let names = |fault: &str, part: &str| assert!(fault.contains(part), "{fault}");
    names(&with(|m| m.subject.push_str("\r\nBcc: all@example.com")), "header Subject");
    names(&with(|m| m.subject.push('\u{0}')), "header Subject");
    names(&with(|m| m.subject = "=?utf-8?Q?Bcc?= x".into()), "header Subject");
    names(&with(|m| m.from_name = "Fern\nBcc: x@example.com".into()), "header From");
    names(&with(|m| m.headers[0].1.push_str("\r\n\r\n<script>")), "header List-Unsubscribe");
    names(&with(|m| m.headers.push(("X-A: b\r\nBcc".into(), "x".into()))), "not allowed");
    names(&with(|m| m.headers.push(("bCC".into(), "x@example.com".into()))), "header name `bCC`");
    names(&with(|m| m.headers.push(("Content-Type".into(), "text/plain".into()))), "not allowed");
    names(&with(|m| m.headers.push(("X-Long".into(), "x".repeat(1_200)))), "a line has");
    names(&with(|m| m.text.push('\u{8}')), "the text part");
    names(&with(|m| m.from = Email::parse("a..b@fern.example").unwrap()), "the From address");
}

#[test]
fn a_lone_carriage_return_is_a_line_end() {
    let bytes = delivered(Rendered { text: "one\rtwo\r\nthree\n".into(), ..rendered() });
    let mail = MessageParser::default().parse(&bytes).unwrap();
    assert_eq!(mail.body_text(0).unwrap(), "one\r\ntwo\r\nthree\r\n");
}

#[test]
fn a_text_message_is_one_file_beside_the_mails() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(dir.path()).unwrap();
    let sms = reserved_sms("one", text_message());
    let accepted = deliver(&outbox, &sms).unwrap();
    assert_eq!(deliver(&outbox, &reserved_sms("one", text_message())).unwrap(), accepted);
    assert_eq!(accepted.provider_id, format!("{}.json", sms.key()));
    let path = outbox.find(sms.key()).unwrap().unwrap();
    assert_eq!(path, dir.path().join("sms").join(&accepted.provider_id));
    let file: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let body = &text_message().body;
    assert_eq!(
        file,
        serde_json::json!({
            "key": sms.key(), "at": "2026-03-02T09:30:00Z", "from": "FernFell", "to": "+353850123456", "parts": 1, "text": body,
        })
    );
    assert_eq!(std::fs::read_dir(dir.path().join("sms")).unwrap().count(), 1);
    assert_eq!(std::fs::read_dir(dir.path().join("new")).unwrap().count(), 0);
}

#[test]
fn impossible_dates_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(dir.path()).unwrap();
    let early = finish(outbox.deliver(&reserved("one", rendered()), "1969-12-31T00:00:00Z".parse().unwrap()));
    assert!(matches!(early, Err(EspError::Refused { .. })));
}

#[test]
fn a_message_that_was_read_is_still_found() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(dir.path()).unwrap();
    let message = reserved("one", rendered());
    let accepted = deliver(&outbox, &message).unwrap();
    let fresh = outbox.find(message.key()).unwrap().unwrap();
    assert_eq!(fresh, dir.path().join("new").join(&accepted.provider_id));

    let seen = dir.path().join("cur").join(format!("{}:2,S", accepted.provider_id));
    fs::rename(fresh, &seen).unwrap();
    assert_eq!(finish(outbox.lookup(message.key())), Ok(Lookup::Found(accepted.clone())));
    assert_eq!(deliver(&outbox, &reserved("one", rendered())), Ok(accepted));
    assert_eq!((files(dir.path(), "new"), files(dir.path(), "cur")), (vec![], vec![seen]));
}

#[test]
fn what_a_crash_left_behind_was_never_delivered() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(dir.path()).unwrap();
    let message = reserved("one", rendered());
    let leftover = dir.path().join("tmp").join(format!("{}.0", message.key()));
    fs::write(&leftover, "Subject: hal").unwrap();
    assert_eq!(finish(outbox.lookup(message.key())), Ok(Lookup::Absent));

    let again = Outbox::open(dir.path()).unwrap();
    let accepted = deliver(&again, &message).unwrap();
    let whole = fs::read_to_string(dir.path().join("new").join(accepted.provider_id)).unwrap();
    assert!(whole.contains("Subject: Your boots can be resoled") && whole.trim_end().ends_with("--"));
    assert_eq!(files(dir.path(), "tmp"), [leftover]);
}

#[test]
fn a_folder_that_cannot_be_written_is_named_and_left_clean() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(dir.path()).unwrap();
    let message = reserved("one", rendered());

    fs::remove_dir(dir.path().join("tmp")).unwrap();
    let fault = deliver(&outbox, &message).unwrap_err();
    assert!(fault.is_retryable() && fault.to_string().contains("tmp"), "{fault}");

    fs::create_dir(dir.path().join("tmp")).unwrap();
    fs::remove_dir(dir.path().join("new")).unwrap();
    let fault = deliver(&outbox, &message).unwrap_err();
    assert!(fault.is_retryable() && fault.to_string().contains("new"), "{fault}");
    assert_eq!(files(dir.path(), "tmp"), Vec::<PathBuf>::new());

    fs::create_dir(dir.path().join("new")).unwrap();
    assert!(deliver(&outbox, &message).is_ok());

    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let fault = Outbox::open(&file).unwrap_err();
    assert!(fault.is_retryable() && fault.to_string().contains("file"), "{fault}");
}

/// A limit on file sizes stands in for a full disk: the write fails half-way. The test runs itself again under it.
#[cfg(unix)]
#[test]
fn a_full_disk_leaves_nothing_behind() {
    let limited = std::process::Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 16; exec \"$0\" --ignored --exact under_a_limit_of_file_size"])
        .arg(std::env::current_exe().unwrap())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&limited.stdout);
    assert!(limited.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
#[ignore = "run by a_full_disk_leaves_nothing_behind, under a limit"]
fn under_a_limit_of_file_size() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(dir.path()).unwrap();
    let message = reserved("one", Rendered { text: "x\n".repeat(50_000), ..rendered() });
    let fault = deliver(&outbox, &message).unwrap_err();
    assert!(fault.is_retryable() && fault.to_string().contains("cannot write") && fault.to_string().contains("tmp"));
    assert_eq!(files(dir.path(), "tmp").len() + files(dir.path(), "new").len(), 0);
    assert_eq!(finish(outbox.lookup(message.key())), Ok(Lookup::Absent));
}

#[cfg(unix)]
#[test]
fn only_the_owner_reads_the_outbox() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("mail");
    let outbox = Outbox::open(&root).unwrap();
    deliver(&outbox, &reserved("one", rendered())).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&root), mode(&root.join("new")), mode(&files(&root, "new")[0])), (0o700, 0o700, 0o600));
}
