//! Files that people write, with bytes changed and ends cut off at random: they are read or refused, and a refusal names
//! the file. `fuzz/` looks at the same readers for longer.

use std::path::Path;

use kit::campaign::Brief;
use mailwright::eval::suite::Suite;
use mailwright::flows::Flow;
use mailwright::release;
use proptest::prelude::*;

/// A change of a text: some bytes set, the rest perhaps cut off. What is no UTF-8 any more is read with replacements, as
/// editors would show it.
fn damaged(text: &str, changes: &[(prop::sample::Index, u8)], cut: Option<prop::sample::Index>) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for (at, byte) in changes {
        let at = at.index(bytes.len());
        bytes[at] = *byte;
    }
    if let Some(cut) = cut {
        bytes.truncate(cut.index(bytes.len()));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn changes() -> impl Strategy<Value = Vec<(prop::sample::Index, u8)>> {
    // Bytes that mean something in these files come more often than others.
    let byte = prop_oneof![any::<u8>(), prop::sample::select(b"\n\t \"'[]{}:=-+#|>&*!%@`.,0\\\0".to_vec())];
    prop::collection::vec((any::<prop::sample::Index>(), byte), 0..6)
}

proptest! {
    #[test]
    fn flows(pick in any::<prop::sample::Index>(), changes in changes(), cut in any::<Option<prop::sample::Index>>()) {
        let files = release::defaults();
        let flows: Vec<_> = files.iter().filter(|(path, _)| path.starts_with("prompts/flows/")).collect();
        let (path, text) = flows[pick.index(flows.len())];
        if let Err(error) = Flow::parse(path, &damaged(text, &changes, cut)) {
            prop_assert!(error.to_string().contains(path.as_str()), "{error}");
        }
    }

    #[test]
    fn suites(changes in changes(), cut in any::<Option<prop::sample::Index>>()) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("evals");
        let file = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).find(|path| {
            path.extension().is_some_and(|end| end == "yaml")
        });
        let file = file.unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        if let Err(error) = Suite::parse(&file, &damaged(&text, &changes, cut)) {
            prop_assert!(error.to_string().contains(file.to_str().unwrap()), "{error}");
        }
    }

    /// What is read as a brief can be written and read again.
    #[test]
    fn briefs(changes in changes()) {
        let text = serde_json::to_string(&Brief::default()).unwrap();
        if let Ok(brief) = serde_json::from_str::<Brief>(&damaged(&text, &changes, None)) {
            let again: Brief = serde_json::from_str(&serde_json::to_string(&brief).unwrap()).unwrap();
            prop_assert_eq!(again, brief);
        }
    }
}
