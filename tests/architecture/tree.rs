//! The text files of the repository, or a few planted ones.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use super::rust::Source;

/// Folders that hold nothing of ours.
const FOREIGN: [&str; 2] = [".git", "target"];

/// One text file.
pub(super) struct File {
    /// From the root, with `/`.
    pub(super) path: String,
    pub(super) text: String,
    /// Set for Rust.
    pub(super) rust: Option<Source>,
}

impl File {
    fn new(path: String, text: String) -> Self {
        let rust = path.ends_with(".rs").then(|| Source::of(&text));
        Self { path, text, rust }
    }

    /// True in a folder of tests: what is not shipped may name anything.
    pub(super) fn is_test(&self) -> bool {
        self.path.starts_with("tests/") || self.path.contains("/tests/") || self.path.ends_with("/tests.rs")
    }
}

/// Files in order of path.
pub(super) struct Tree {
    files: Vec<File>,
}

impl Tree {
    pub(super) fn of_repository() -> &'static Self {
        static REPOSITORY: LazyLock<Tree> = LazyLock::new(|| {
            let root = Path::new(env!("CARGO_MANIFEST_DIR"));
            let mut files = Vec::new();
            walk(root, root, &mut files);
            files.sort_by(|a, b| a.path.cmp(&b.path));
            Tree { files }
        });
        &REPOSITORY
    }

    pub(super) fn planted(files: &[(&str, &str)]) -> Self {
        Self { files: files.iter().map(|(path, text)| File::new((*path).to_owned(), (*text).to_owned())).collect() }
    }

    pub(super) fn files(&self) -> impl Iterator<Item = &File> {
        self.files.iter()
    }

    pub(super) fn under(&self, prefix: &str) -> impl Iterator<Item = &File> {
        self.files().filter(move |file| file.path.starts_with(prefix))
    }

    pub(super) fn rust(&self) -> impl Iterator<Item = (&File, &Source)> {
        self.files().filter_map(|file| Some((file, file.rust.as_ref()?)))
    }

    pub(super) fn get(&self, path: &str) -> Option<&File> {
        self.files().find(|file| file.path == path)
    }
}

fn walk(root: &Path, dir: &Path, files: &mut Vec<File>) {
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        let kind = entry.file_type().unwrap();
        if kind.is_dir() && !FOREIGN.contains(&name.as_str()) {
            walk(root, &path, files);
        }
        // Snapshots that wait for a review are no part of the repository.
        if !kind.is_file() || name.ends_with(".snap.new") {
            continue;
        }
        // What is no UTF-8 is no text.
        if let Ok(text) = fs::read_to_string(&path) {
            files.push(File::new(path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/"), text));
        }
    }
}

#[test]
fn the_repository_is_read() {
    let tree = Tree::of_repository();
    for path in ["Cargo.toml", ".ci/run", "src/lib.rs", "tools/kit/src/lib.rs", "tests/architecture/tree.rs"] {
        assert!(tree.get(path).is_some_and(|file| !file.text.is_empty()), "{path}");
    }
    assert!(tree.under("target/").next().is_none());
}
