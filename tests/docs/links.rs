//! Links between the project's pages lead somewhere: to a file that is there, and to a heading that it has. So do names of pages
//! in the code.

use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every page of the project.
fn pages() -> Vec<PathBuf> {
    let folders = [root().to_owned(), root().join("docs")];
    let files = folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
    let mut pages: Vec<_> = files.filter(|path| path.extension().is_some_and(|ending| ending == "md")).collect();
    pages.sort();
    pages
}

/// The targets of a page's links, `[words](target)`, outside of code.
fn links(text: &str) -> Vec<&str> {
    let prose = text.split("```").step_by(2);
    prose.flat_map(|part| part.split("](").skip(1)).filter_map(|rest| rest.split(')').next()).collect()
}

/// A heading as a link names it.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.split("\n```").step_by(2).flat_map(str::lines).filter_map(|line| line.strip_prefix('#'));
    let anchor = |heading: &str| {
        let words = heading.trim_start_matches('#').trim().to_lowercase();
        words.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>().replace(' ', "-")
    };
    headings.map(anchor).collect()
}

/// What is wrong with the links of a page that stands in `folder`.
fn broken(text: &str, folder: &Path) -> Vec<String> {
    let mut broken = Vec::new();
    for link in links(text).into_iter().filter(|link| !link.contains("://") && !link.starts_with("mailto:")) {
        let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
        let path = folder.join(file);
        let target = if file.is_empty() { Some(text.to_owned()) } else { std::fs::read_to_string(&path).ok() };
        match target {
            Some(target) if !anchor.is_empty() && !anchors(&target).contains(&anchor.to_owned()) => {
                broken.push(format!("{link}: no such heading"));
            }
            None if !path.exists() => broken.push(format!("{link}: no such file")),
            _ => {}
        }
    }
    broken
}

#[test]
fn every_link_between_pages_leads_to_a_file_and_a_heading_that_are_there() {
    let mut seen = 0;
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        seen += links(&text).len();
        assert_eq!(broken(&text, page.parent().unwrap()), [""; 0], "{}", page.display());
    }
    assert!(seen > 10, "only {seen} links were found");
}

#[test]
fn every_page_that_the_code_names_is_there() {
    let mut texts: Vec<_> =
        crate::source::read_tree(&root().join("src")).into_iter().map(|source| source.text).collect();
    for folder in ["proto/hashcommons/v1", "proto/hashcommons/record/v1"] {
        let files = std::fs::read_dir(root().join(folder)).unwrap();
        texts.extend(files.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap()));
    }
    let mut named = Vec::new();
    for text in &texts {
        for (at, _) in text.match_indices("docs/") {
            let name: String = text[at..].chars().take_while(|c| c.is_alphanumeric() || "/._-".contains(*c)).collect();
            named.push(name.trim_end_matches('.').to_owned());
        }
    }
    named.retain(|name| name.ends_with(".md"));
    assert!(named.len() >= 4, "{named:?}");
    named.retain(|name| !root().join(name).exists());
    assert_eq!(named, [""; 0]);
}

#[test]
fn links_that_lead_nowhere_are_reported() {
    let text = "# Some heading\n[a](#some-heading) [b](#other) [c](no/such.md) [d](Cargo.toml) [e](https://example.org)\n\
                ```text\n[f](in/code.md)\n```\n";
    assert_eq!(broken(text, root()), ["#other: no such heading", "no/such.md: no such file"]);
}
