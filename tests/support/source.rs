//! Rust source as the tests of the architecture read it: code without comments and texts, and the modules it names.

use std::collections::BTreeSet;
use std::path::Path;

/// One file of a source tree.
pub struct Source {
    /// From the tree's top, as in `hub/check.rs`.
    pub path: String,
    pub text: String,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// The module below the crate that the file belongs to, as in `hub`; `lib` and `main` for the two tops.
    pub fn module(&self) -> &str {
        let first = self.path.split('/').next().unwrap_or_default();
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// The code: comments gone, and what stands between quotes. Line ends stay.
    pub fn code(&self) -> String {
        strip(&self.text)
    }

    /// The comment at the file's top.
    pub fn head(&self) -> String {
        self.text.lines().take_while(|line| line.starts_with("//!")).collect::<Vec<_>>().join("\n")
    }

    /// How deep its module is below the crate: 1 for `hub/mod.rs` and `main.rs`, 2 for `hub/check.rs`.
    fn depth(&self) -> usize {
        let parts = self.path.trim_end_matches("/mod.rs").split('/').count();
        if matches!(self.path.as_str(), "lib.rs" | "main.rs") { 0 } else { parts }
    }

    /// Every module below the crate that the code names, with the line: `crate::x`, in a `use` or in the code,
    /// `crate::{x, y}`, `hashcommons::x`, and a `super::` chain that reaches the crate.
    pub fn named_modules(&self) -> BTreeSet<(String, usize)> {
        let code = self.code();
        let mut named = BTreeSet::new();
        for root in ["crate::", "hashcommons::"] {
            for at in word_positions(&code, root) {
                let rest = &code[at + root.len()..];
                let line = line_of(&code, at);
                named.extend(first_segments(rest).into_iter().map(|name| (name, line)));
            }
        }
        let chain = "super::".repeat(self.depth());
        if self.depth() > 0 {
            for at in word_positions(&code, &chain) {
                let rest = &code[at + chain.len()..];
                named.extend(first_segments(rest).into_iter().map(|name| (name, line_of(&code, at))));
            }
        }
        named
    }

    /// Lines of code in which `word` stands by itself.
    pub fn lines_naming(&self, word: &str) -> Vec<usize> {
        let code = self.code();
        word_positions(&code, word).map(|at| line_of(&code, at)).collect()
    }
}

/// Every `.rs` file below `folder`, sorted.
pub fn read_tree(folder: &Path) -> Vec<Source> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().replace('\\', "/");
                files.push(Source { text: std::fs::read_to_string(&path).unwrap(), path: name });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// Where `word` stands and is not the end or the beginning of a longer name.
fn word_positions<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).map(|(at, _)| at).filter(move |&at| {
        let before = code[..at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        let goes_on = !word.ends_with(':') && after.is_some_and(is_name);
        !before.is_some_and(|c| is_name(c) || c == ':') && !goes_on
    })
}

fn line_of(code: &str, at: usize) -> usize {
    code[..at].matches('\n').count() + 1
}

/// The first name of each path that begins here: one, or several in braces.
fn first_segments(text: &str) -> Vec<String> {
    let name = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let Some(group) = text.strip_prefix('{') else { return vec![name(text)] };
    let (mut depth, mut names, mut start) = (0, Vec::new(), 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                names.push(name(group[start..at].trim_start()));
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

fn strip(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(hashes) = raw_string(rest, &code) {
            let open = 2 + hashes;
            let close = format!("\"{}", "#".repeat(hashes));
            rest[open..].find(&close).map_or(rest.len(), |end| open + end + close.len())
        } else if c == '"' {
            quoted(rest)
        } else if rest.starts_with("'\"'") || rest.starts_with("'{'") || rest.starts_with("'}'") {
            3
        } else if rest.starts_with("'\\'") || rest.starts_with("'\\\"'") {
            4
        } else {
            code.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        };
        code.extend(rest[..skipped].chars().filter(|c| *c == '\n'));
        rest = &rest[skipped..];
    }
    code
}

/// The number of `#` of a raw string that begins here.
fn raw_string(rest: &str, before: &str) -> Option<usize> {
    let after_r = rest.strip_prefix('r')?;
    let hashes = after_r.len() - after_r.trim_start_matches('#').len();
    let in_name = before.chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_') && !before.ends_with('b');
    (!in_name && after_r[hashes..].starts_with('"')).then_some(hashes)
}

/// Length of a text in quotes.
fn quoted(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}
