//! What the protobuf files may hold and must say: no field for a person anywhere, and a comment on everything that a caller
//! meets.

#[path = "support/proto.rs"]
mod proto;

use std::collections::BTreeSet;
use std::path::Path;

use hashcommons::wire::DESCRIPTORS;
use prost_reflect::DescriptorPool;
use proto::{Declaration, What, read, read_folder};

/// A field whose name has one of these words would be for a person, or for a place where one is found.
const PERSONAL: &[&str] = &[
    "account",
    "accounts",
    "alias",
    "avatar",
    "birth",
    "birthday",
    "contact",
    "device",
    "email",
    "face",
    "first",
    "forename",
    "gender",
    "handle",
    "host",
    "hostname",
    "imei",
    "ip",
    "ipv4",
    "ipv6",
    "last",
    "latitude",
    "link",
    "location",
    "login",
    "longitude",
    "mac",
    "mail",
    "name",
    "names",
    "nationality",
    "nick",
    "nickname",
    "passport",
    "person",
    "persons",
    "phone",
    "post",
    "profile",
    "religion",
    "screen",
    "sender",
    "ssn",
    "street",
    "subject",
    "surname",
    "uploader",
    "uri",
    "url",
    "urls",
    "user",
    "username",
    "users",
    "victim",
];

/// Fields that have such a word and are for no person, each with what it is instead.
const NOT_PERSONAL: &[(&str, &str)] = &[
    ("hashcommons.v1.Contributor.name", "an organisation's name, shown to operators and auditors"),
    ("hashcommons.v1.EnrolMemberRequest.name", "an organisation's name"),
    ("hashcommons.v1.Member.name", "an organisation's name"),
    ("hashcommons.v1.Label.name", "a label's name"),
    ("hashcommons.v1.Term.name", "a content type's or an authority's name"),
    ("hashcommons.v1.Opening.names_shown", "that organisations' names were shown, not which"),
    ("hashcommons.record.v1.Event.names_shown", "that organisations' names were shown, not which"),
    ("hashcommons.v1.Key.last_used", "the hour in which an organisation's key was last used"),
    ("hashcommons.v1.Figure.name", "a figure's name"),
    ("hashcommons.v1.Figure.Dimension.name", "what a figure is divided by"),
    ("hashcommons.v1.Reversal.first", "the hour of the first match"),
    ("hashcommons.v1.Reversal.last", "the hour of the last match"),
    ("hashcommons.v1.FollowRequest.incident_first", "that entries of open incidents come before others"),
    ("hashcommons.record.v1.Member.name", "an organisation's name"),
    ("hashcommons.record.v1.Key.mac", "a message authentication code"),
];

/// The paths of fields that would be for a person.
fn personal(declarations: &[Declaration]) -> Vec<&str> {
    let fields = declarations.iter().filter(|declaration| declaration.what == What::Field);
    let suspect = fields.filter(|field| field.name.split('_').any(|word| PERSONAL.contains(&word)));
    let paths = suspect.map(|field| field.path.as_str());
    paths.filter(|path| !NOT_PERSONAL.iter().any(|(allowed, _)| allowed == path)).collect()
}

/// Whatever lacks a comment that it needs.
///
/// Every service, method and enum has one. So has every message, but what a method takes or gives: its method's is enough. A
/// field has one itself, or its message has, or its type has.
fn uncommented(declarations: &[Declaration]) -> Vec<String> {
    let methods = || declarations.iter().filter(|one| one.what == What::Method);
    let carried: BTreeSet<&str> = methods().flat_map(|method| method.types.iter().map(String::as_str)).collect();
    let commented = |name: &str| declarations.iter().any(|one| one.name == name && !one.comment.is_empty());
    let mut missing = Vec::new();
    for one in declarations {
        let said = !one.comment.is_empty();
        let fine = match one.what {
            What::Method | What::Enum => said,
            What::Service => {
                let on_each = methods().filter(|method| method.parent() == one.path).all(says_callers);
                says_callers(one) || on_each
            }
            What::Message => said || carried.contains(one.name.as_str()),
            What::EnumValue => true,
            What::Field => {
                let parent = one.parent().rsplit('.').next().unwrap_or_default();
                said || commented(parent) || one.types.iter().any(|kind| commented(kind))
            }
        };
        if !fine {
            missing.push(format!("{} ({:?})", one.path, one.what));
        }
    }
    missing
}

fn says_callers(one: &Declaration) -> bool {
    one.comment.contains("Callers:")
}

fn api() -> Vec<Declaration> {
    read_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("proto/hashcommons/v1"))
}

fn records() -> Vec<Declaration> {
    read_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("proto/hashcommons/record/v1"))
}

#[test]
fn no_message_and_no_record_has_a_field_for_a_person() {
    let all = [api(), records()].concat();
    assert_eq!(personal(&all), [""; 0]);
    for (path, _) in NOT_PERSONAL {
        assert!(all.iter().any(|one| one.path == *path), "{path} is gone: take it from the list");
    }
}

#[test]
fn everything_a_caller_meets_has_a_comment_and_every_service_says_who_may_call_it() {
    assert_eq!(uncommented(&api()), [""; 0]);
}

#[test]
fn the_reader_of_the_files_sees_what_the_compiler_sees() {
    let pool = DescriptorPool::decode(DESCRIPTORS).unwrap();
    let ours = |name: &str| name.starts_with("hashcommons.");
    let mut compiled = BTreeSet::new();
    for message in pool.all_messages().filter(|message| ours(message.full_name())) {
        compiled.insert(message.full_name().to_owned());
        compiled.extend(message.fields().map(|field| field.full_name().to_owned()));
    }
    for service in pool.services().filter(|service| ours(service.full_name())) {
        compiled.insert(service.full_name().to_owned());
        compiled.extend(service.methods().map(|method| method.full_name().to_owned()));
    }
    compiled.extend(pool.all_enums().map(|one| one.full_name().to_owned()).filter(|name| ours(name)));
    let read = api().into_iter().filter(|one| one.what != What::EnumValue).map(|one| one.path).collect();
    assert_eq!(compiled, read);
}

#[test]
fn a_made_up_file_with_a_person_and_without_comments_is_reported() {
    let declarations = read(
        "package made.up;\n\
         service Quiet {\n  // Does something.\n  rpc Do(DoRequest) returns (DoResponse);\n  rpc Hush(DoRequest) returns (DoResponse);\n}\n\
         message DoRequest {\n  // Of the uploader.\n  string user_name = 1;\n  oneof where {\n    // It.\n    string profile_url = 2;\n  }\n}\n\
         message DoResponse {\n  uint32 bits = 1;\n  Kind kind = 2;\n}\n\
         // Which.\nenum Kind {\n  KIND_UNSPECIFIED = 0;\n}\n\
         message Loose {\n  Kind kind = 1;\n}\n",
    );
    assert_eq!(personal(&declarations), ["made.up.DoRequest.user_name", "made.up.DoRequest.profile_url"]);
    assert_eq!(
        uncommented(&declarations),
        [
            "made.up.Quiet (Service)",
            "made.up.Quiet.Hush (Method)",
            "made.up.DoResponse.bits (Field)",
            "made.up.Loose (Message)"
        ]
    );
}
