//! What the ledger's tests share: the definitions of RFC 6962 word for word, as the oracle, and a log in memory.

use std::collections::HashMap;

use data_encoding::HEXLOWER;

use super::{Frontier, Hash, NodeId, SigningKey};

/// `MTH(D)` over leaf hashes (RFC 6962, section 2.1).
pub fn mth(d: &[Hash]) -> Hash {
    match d {
        [] => Hash::empty_tree(),
        [leaf] => *leaf,
        _ => Hash::node(mth(&d[..k(d)]), mth(&d[k(d)..])),
    }
}

/// `PATH(m, D)` (RFC 6962, section 2.1.1).
pub fn path(m: usize, d: &[Hash]) -> Vec<Hash> {
    if d.len() == 1 {
        return vec![];
    }
    let (left, right) = d.split_at(k(d));
    let (mut rest, sibling) =
        if m < left.len() { (path(m, left), mth(right)) } else { (path(m - left.len(), right), mth(left)) };
    rest.push(sibling);
    rest
}

/// `PROOF(m, D)` (RFC 6962, section 2.1.2).
pub fn proof(m: usize, d: &[Hash]) -> Vec<Hash> {
    subproof(m, d, true)
}

fn subproof(m: usize, d: &[Hash], whole: bool) -> Vec<Hash> {
    if m == d.len() {
        return if whole { vec![] } else { vec![mth(d)] };
    }
    let (left, right) = d.split_at(k(d));
    let (mut rest, sibling) = if m <= left.len() {
        (subproof(m, left, whole), mth(right))
    } else {
        (subproof(m - left.len(), right, false), mth(left))
    };
    rest.push(sibling);
    rest
}

/// The largest power of two smaller than the number of leaves.
fn k(d: &[Hash]) -> usize {
    let mut k = 1;
    while 2 * k < d.len() {
        k *= 2;
    }
    k
}

/// A log that keeps everything in memory.
pub struct Log {
    pub leaves: Vec<Hash>,
    pub nodes: HashMap<NodeId, Hash>,
    pub frontier: Frontier,
}

impl Default for Log {
    fn default() -> Self {
        Self { leaves: Vec::new(), nodes: HashMap::new(), frontier: Frontier::empty() }
    }
}

impl Log {
    /// A log of `size` leaves, no two the same.
    pub fn of_size(size: u64) -> Self {
        let mut log = Self::default();
        for index in 0..size {
            log.push(&index.to_be_bytes());
        }
        log
    }

    /// Appends a leaf with this content.
    pub fn push(&mut self, data: &[u8]) {
        self.push_hash(Hash::leaf(data));
    }

    /// Appends a leaf with this hash.
    pub fn push_hash(&mut self, leaf: Hash) {
        self.leaves.push(leaf);
        let nodes = &mut self.nodes;
        self.frontier.append(leaf, |node, hash| assert_eq!(nodes.insert(node, hash), None, "{node:?} emitted twice"));
    }

    /// The stored node, or its name if there is none.
    pub fn fetch(&self, node: NodeId) -> Result<Hash, NodeId> {
        self.nodes.get(&node).copied().ok_or(node)
    }

    /// As [`fetch`](Self::fetch), but of the log as it was at `size` leaves.
    pub fn fetch_at(&self, size: u64, node: NodeId) -> Result<Hash, NodeId> {
        if (node.index + 1) << node.level > size { Err(node) } else { self.fetch(node) }
    }
}

/// The contents of the leaves that the Certificate Transparency projects test with.
pub const CT_LEAVES: [&[u8]; 8] = [
    b"",
    b"\x00",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    b"\x50\x51\x52\x53\x54\x55\x56\x57",
    b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
];

/// Their published roots, for trees of 0 to 8 leaves.
pub static CT_ROOTS: std::sync::LazyLock<Vec<Hash>> = std::sync::LazyLock::new(|| {
    hashes(
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
         6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d
         fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125
         aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77
         d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7
         4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4
         76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef
         ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c
         5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
});

/// The log of the first `size` of [`CT_LEAVES`].
pub fn ct_log(size: usize) -> Log {
    let mut log = Log::default();
    for leaf in &CT_LEAVES[..size] {
        log.push(leaf);
    }
    log
}

/// Hashes in hexadecimal, separated by white space.
pub fn hashes(hex: &str) -> Vec<Hash> {
    let bytes = |hex: &str| HEXLOWER.decode(hex.as_bytes()).unwrap();
    hex.split_whitespace().map(|hex| Hash::from_bytes(bytes(hex).try_into().unwrap())).collect()
}

/// The private key of the examples in the documentation of Go's `sumdb/note`.
pub const GO_PRIVATE_KEY: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
/// Its public half.
pub const GO_VERIFIER_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
/// The text they sign there.
pub const GO_TEXT: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n";
/// The note that comes out.
pub const GO_NOTE: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n\n\
    \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

/// A key with this name, the same in every test.
pub fn signing_key(name: &str) -> SigningKey {
    SigningKey::from_secret(name, &[7; 32]).unwrap()
}
