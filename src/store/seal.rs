//! Sealing: AES-256-GCM under a person's own key, and the form in which sealed values stand in the tables.
//!
//! A sealed value is `sealed:1:`, the id of its key (16 hexadecimal digits), `:`, and then nonce, ciphertext and tag: as
//! base64 in a text column, as they are in a blob. What does not begin so is plain: rows of databases from before. A value is
//! bound to its shop, column and row; put anywhere else it does not open. Nonces are random, which holds for 2^32 values a
//! key (NIST SP 800-38D, section 8.3).

use std::collections::HashMap;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use kit::StoreError;

use super::corrupt;

/// How a sealed value begins; the number is the version of its form.
const MARK: &[u8] = b"sealed:1:";
/// Digits of a key's id.
const ID: usize = 16;
/// Bytes of a key.
pub(super) const KEY: usize = 32;

/// Where a value stands. It opens nowhere else.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// Table and column.
    pub(super) column: &'static str,
    /// What tells the row from others of its shop.
    pub(super) row: &'a str,
    /// Its number, where rows of one name are numbered; else 0.
    pub(super) seq: u32,
}

impl<'a> Place<'a> {
    pub(super) fn of(column: &'static str, row: &'a str) -> Self {
        Self { column, row, seq: 0 }
    }

    /// Each part with its length in front, so that no two places read the same.
    fn bytes(&self, shop: &str) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(96);
        for part in ["mailwright.seal/1", shop, self.column, self.row] {
            bytes.extend((part.len() as u64).to_be_bytes());
            bytes.extend(part.as_bytes());
        }
        bytes.extend(self.seq.to_be_bytes());
        bytes
    }
}

/// The key of one subject.
pub(super) struct SealKey {
    id: String,
    shop: String,
    subject: String,
    key: RandomizedNonceKey,
}

/// The id says nothing about anybody; the rest is secret.
impl std::fmt::Debug for SealKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SealKey").field("id", &self.id).finish_non_exhaustive()
    }
}

impl SealKey {
    /// From 32 bytes.
    pub(super) fn new(shop: &str, subject: &str, id: &str, secret: &[u8]) -> Result<Self, StoreError> {
        let key = cipher(secret)?;
        Ok(Self { id: id.to_owned(), shop: shop.to_owned(), subject: subject.to_owned(), key })
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn shop(&self) -> &str {
        &self.shop
    }

    pub(super) fn subject(&self) -> &str {
        &self.subject
    }

    /// A text, sealed for a place.
    pub(super) fn seal(&self, place: Place<'_>, text: &str) -> Result<String, StoreError> {
        let mut sealed = String::with_capacity(MARK.len() + ID + 1 + (text.len() + 28) / 3 * 4 + 4);
        sealed.push_str(&String::from_utf8_lossy(MARK));
        sealed.push_str(&self.id);
        sealed.push(':');
        BASE64.encode_string(encrypt(&self.key, &place.bytes(&self.shop), text.as_bytes())?, &mut sealed);
        Ok(sealed)
    }

    /// Bytes, sealed for a place.
    pub(super) fn seal_bytes(&self, place: Place<'_>, bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
        let mut sealed = [MARK, self.id.as_bytes(), b":"].concat();
        sealed.extend(encrypt(&self.key, &place.bytes(&self.shop), bytes)?);
        Ok(sealed)
    }

    /// What a text that was sealed for this place says; `None` when it was changed, or sealed for another place.
    pub(super) fn open(&self, place: Place<'_>, sealed: &str) -> Option<String> {
        let bytes = BASE64.decode(content(sealed.as_bytes())?).ok()?;
        String::from_utf8(decrypt(&self.key, &place.bytes(&self.shop), &bytes)?).ok()
    }

    /// The same for bytes.
    pub(super) fn open_bytes(&self, place: Place<'_>, sealed: &[u8]) -> Option<Vec<u8>> {
        decrypt(&self.key, &place.bytes(&self.shop), content(sealed)?)
    }
}

/// The id of the key that a stored value is sealed under; `None` for a plain one.
pub(super) fn key_id(stored: &[u8]) -> Option<&str> {
    let rest = stored.strip_prefix(MARK)?;
    let (id, rest) = rest.split_at_checked(ID)?;
    let hex = id.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if !hex || !rest.starts_with(b":") {
        return None;
    }
    std::str::from_utf8(id).ok()
}

/// What comes after the key's id.
fn content(sealed: &[u8]) -> Option<&[u8]> {
    sealed.get(MARK.len() + ID + 1..)
}

/// Keys by their ids, to open what was read.
#[derive(Default)]
pub(super) struct Opener {
    pub(super) keys: HashMap<String, Arc<SealKey>>,
}

impl Opener {
    /// What a stored text says; plain ones as they are.
    ///
    /// # Errors
    /// [`StoreError::Erased`] when its key is gone, [`StoreError::Corrupt`] when it was changed or moved.
    pub(super) fn text(&self, place: Place<'_>, stored: String) -> Result<String, StoreError> {
        let Some(key) = self.key(place, stored.as_bytes())? else { return Ok(stored) };
        key.open(place, &stored).ok_or_else(|| changed(place))
    }

    /// The same for a text whose reader finds out by itself, and names the position, that it is not what it was: one that
    /// does not open stays as it stands.
    pub(super) fn text_or_as_it_stands(&self, place: Place<'_>, stored: String) -> String {
        match self.key(place, stored.as_bytes()) {
            Ok(Some(key)) => key.open(place, &stored).unwrap_or(stored),
            Ok(None) | Err(_) => stored,
        }
    }

    /// What stored bytes are; those that do not open stay as they stand.
    pub(super) fn bytes_or_as_they_stand(&self, place: Place<'_>, stored: Vec<u8>) -> Vec<u8> {
        match self.key(place, &stored) {
            Ok(Some(key)) => key.open_bytes(place, &stored).unwrap_or(stored),
            Ok(None) | Err(_) => stored,
        }
    }

    /// The key of a stored value; `None` for a plain one, and where the key is gone.
    pub(super) fn key_of(&self, stored: &str) -> Option<&Arc<SealKey>> {
        self.keys.get(key_id(stored.as_bytes())?)
    }

    /// True for a value that is sealed under a key that is gone.
    pub(super) fn is_erased(&self, stored: &str) -> bool {
        key_id(stored.as_bytes()).is_some_and(|id| !self.keys.contains_key(id))
    }

    fn key(&self, place: Place<'_>, stored: &[u8]) -> Result<Option<&Arc<SealKey>>, StoreError> {
        let Some(id) = key_id(stored) else { return Ok(None) };
        let erased = || StoreError::Erased { what: format!("{} of {}", place.column, place.row) };
        self.keys.get(id).map(Some).ok_or_else(erased)
    }
}

fn changed(place: Place<'_>) -> StoreError {
    corrupt(&format!("{} of {}", place.column, place.row), "it was changed, or belongs to another row")
}

/// A key as a cipher.
pub(super) fn cipher(secret: &[u8]) -> Result<RandomizedNonceKey, StoreError> {
    RandomizedNonceKey::new(&AES_256_GCM, secret).map_err(|_| corrupt("sealing key", "it is not 32 bytes"))
}

/// Nonce, ciphertext and tag.
pub(super) fn encrypt(key: &RandomizedNonceKey, bound_to: &[u8], plain: &[u8]) -> Result<Vec<u8>, StoreError> {
    let mut content = plain.to_vec();
    let nonce = key
        .seal_in_place_append_tag(Aad::from(bound_to), &mut content)
        .map_err(|_| StoreError::Unavailable("the system gives no random numbers".to_owned()))?;
    Ok([nonce.as_ref().as_slice(), &content].concat())
}

/// The other way; `None` when anything of it is not what it was.
pub(super) fn decrypt(key: &RandomizedNonceKey, bound_to: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, content) = sealed.split_at_checked(NONCE_LEN)?;
    let mut content = content.to_vec();
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let length = key.open_in_place(nonce, Aad::from(bound_to), &mut content).ok()?.len();
    content.truncate(length);
    Some(content)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const HERE: Place<'static> = Place { column: "journal.body", row: "run-1", seq: 7 };

    fn key(shop: &str, fill: u8) -> SealKey {
        SealKey::new(shop, "c1", "00112233445566aa", &[fill; KEY]).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_and_nowhere_else() {
        let mine = key("s", 1);
        for text in ["", "{}", "nubuck 🙂", &"long ".repeat(5000)] {
            let sealed = mine.seal(HERE, text).unwrap();
            assert_eq!(key_id(sealed.as_bytes()), Some("00112233445566aa"));
            assert_eq!(mine.open(HERE, &sealed).as_deref(), Some(text));
            for elsewhere in [
                Place { column: "approvals.draft", ..HERE },
                Place { row: "run-2", ..HERE },
                Place { seq: 8, ..HERE },
                Place { row: "run-1\u{7}", seq: 0, ..HERE },
            ] {
                assert_eq!(mine.open(elsewhere, &sealed), None);
            }
            assert_eq!(key("other", 1).open(HERE, &sealed), None);
            assert_eq!(key("s", 2).open(HERE, &sealed), None);
            // The same text again is another value.
            assert_ne!(mine.seal(HERE, text).unwrap(), sealed);
            let bytes = mine.seal_bytes(HERE, text.as_bytes()).unwrap();
            assert_eq!(mine.open_bytes(HERE, &bytes).unwrap(), text.as_bytes());
        }
    }

    #[test]
    fn whichever_byte_changes_it_does_not_open() {
        let mine = key("s", 1);
        let sealed = mine.seal(HERE, "{\"input\":\"model\"}").unwrap();
        for at in 0..sealed.len() {
            let mut bytes = sealed.clone().into_bytes();
            *bytes.get_mut(at).unwrap() ^= 1;
            let changed = String::from_utf8(bytes).unwrap();
            let head = MARK.len() + ID + 1;
            if at < head {
                assert_ne!(key_id(changed.as_bytes()), Some(mine.id()), "byte {at}");
            } else {
                assert_eq!(mine.open(HERE, &changed), None, "byte {at}");
            }
        }
        for cut in 0..sealed.len() {
            let cut = sealed.get(..cut).unwrap();
            assert!(key_id(cut.as_bytes()).is_none() || mine.open(HERE, cut).is_none(), "{cut}");
        }
    }

    #[test]
    fn plain_values_are_told_from_sealed_ones() {
        for plain in [
            "",
            "{}",
            "sealed:",
            "sealed:1:",
            "sealed:1:00112233445566aa",
            "sealed:1:00112233445566AA:x",
            "sealed:2:00112233445566aa:x",
        ] {
            assert_eq!(key_id(plain.as_bytes()), None, "{plain}");
        }
    }
}
