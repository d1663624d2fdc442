//! The `.proto` files as text: every service, method, message, enum and field, with the comment that stands above it.
//!
//! Comments are not in the compiled descriptors that ship with the program, so they are read from the files. The files keep one
//! declaration a line; `tests/schema.rs` counts against the descriptors that nothing was overlooked.

use std::path::Path;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Service,
    Method,
    Message,
    Enum,
    EnumValue,
    Field,
}

/// One declaration.
#[derive(Clone, Debug)]
pub struct Declaration {
    pub what: What,
    /// With package and everything around it, as in `hashcommons.v1.Member.name`.
    pub path: String,
    pub name: String,
    /// A field's or a method's types, without their package.
    pub types: Vec<String>,
    pub comment: String,
}

impl Declaration {
    /// The path of what it stands in.
    pub fn parent(&self) -> &str {
        self.path.rsplit_once('.').map_or("", |(parent, _)| parent)
    }
}

/// Every declaration in the `.proto` files of a folder.
pub fn read_folder(folder: &Path) -> Vec<Declaration> {
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().flat_map(|path| read(&std::fs::read_to_string(path).unwrap())).collect()
}

/// Every declaration of one file.
pub fn read(text: &str) -> Vec<Declaration> {
    let mut found: Vec<Declaration> = Vec::new();
    let (mut around, mut comment) = (Vec::<(String, Option<What>)>::new(), String::new());
    for line in text.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("//") {
            comment.push_str(text);
            continue;
        }
        let said = std::mem::take(&mut comment);
        if let Some(package) = line.strip_prefix("package ") {
            around = vec![(package.trim_end_matches(';').to_owned(), None)];
            continue;
        }
        let words: Vec<_> = line.split(|c: char| c.is_whitespace() || "();={}".contains(c)).collect();
        let words: Vec<_> = words.into_iter().filter(|word| !word.is_empty()).collect();
        let inside = around.iter().rev().find_map(|(_, what)| *what);
        let declared = match words[..] {
            ["service", name, ..] => Some((What::Service, name, vec![])),
            ["rpc", name, ref types @ ..] => {
                let types = types.iter().filter(|word| !["returns", "stream"].contains(word)).map(|t| (*t).to_owned());
                Some((What::Method, name, types.collect()))
            }
            ["message", name, ..] => Some((What::Message, name, vec![])),
            ["enum", name, ..] => Some((What::Enum, name, vec![])),
            ["oneof", ..] | ["syntax", ..] | ["import", ..] | ["option", ..] | ["reserved", ..] | [] => None,
            ["optional" | "repeated", kind, name, ..] => Some((What::Field, name, vec![kind.to_owned()])),
            [name, ..] if inside == Some(What::Enum) => Some((What::EnumValue, name, vec![])),
            [kind, name, ..] => Some((What::Field, name, vec![kind.to_owned()])),
            [_] => None,
        };
        if let Some((what, name, types)) = &declared {
            let outer: Vec<_> = around.iter().map(|(name, _)| name.as_str()).filter(|name| !name.is_empty()).collect();
            let path = format!("{}.{name}", outer.join("."));
            found.push(Declaration {
                what: *what,
                path,
                name: (*name).to_owned(),
                types: types.clone(),
                comment: said.trim().to_owned(),
            });
        }
        if line.ends_with('{') {
            // A `oneof` has a name, which is not part of its fields' paths.
            around.push(declared.map_or((String::new(), None), |(what, name, _)| (name.to_owned(), Some(what))));
        } else if line == "}" {
            around.pop();
        }
    }
    found
}
