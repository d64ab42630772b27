//! Voucher codes: the same occasion always has the same code.

use kit::{CustomerId, Digest, OfferStepId, ShopId};

/// Digits and consonants that cannot be mistaken for one another and spell no words.
const ALPHABET: &[u8; 28] = b"23456789BCDFGHJKLMNPQRSTVWXZ";
/// Characters after the prefix: 28^6, some 480 million codes per shop.
const LENGTH: usize = 6;

/// How often a code is drawn when chance gives one that is somebody else's already. With a million codes a shop one draw in
/// 480 meets one.
pub const DRAWS: u32 = 8;

/// `TRAIL-7K3Q9M`: a function of shop, customer, occasion, step and draw, holding no personal data.
pub(crate) fn voucher(
    prefix: &str,
    shop: &ShopId,
    customer: &CustomerId,
    occasion: &str,
    step: &OfferStepId,
    draw: u32,
) -> String {
    let mut parts = vec!["offer-code/1", shop.as_str(), customer.as_str(), occasion, step.as_str()];
    let again = draw.to_string();
    parts.extend((draw > 0).then_some(again.as_str()));
    let digest = Digest::of_parts(parts);
    let mut number = digest
        .short()
        .bytes()
        .fold(0_u64, |n, hex| n * 16 + u64::from(char::from(hex).to_digit(16).unwrap_or_default()));
    let mut code = format!("{prefix}-");
    for _ in 0..LENGTH {
        let place = usize::try_from(number % 28).unwrap_or_default();
        code.extend(ALPHABET.get(place).map(|b| char::from(*b)));
        number /= 28;
    }
    code
}
