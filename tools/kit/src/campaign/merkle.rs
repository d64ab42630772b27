//! The digest of a frozen audience: a Merkle tree over its recipients.
//!
//! One digest stands for all of them, and a few digests prove that one is among them: nobody can be slipped in after the
//! approval, and nobody's class or offer can be changed. Leaves and inner nodes are hashed apart, so that no inner node
//! passes for a recipient; an odd node goes up as it is and is never paired with itself.

use serde::{Deserialize, Serialize};

use super::class::ClassId;
use crate::digest::Digest;
use crate::ids::OfferStepId;

/// What a recipient's place in the tree is made of.
pub fn leaf(destination: Digest, class: &ClassId, offer: Option<&OfferStepId>) -> Digest {
    let offer = offer.map_or("", OfferStepId::as_str);
    Digest::of_parts(["audience/leaf", &destination.to_string(), class.as_str(), offer])
}

fn inner(left: Digest, right: Digest) -> Digest {
    Digest::of_parts(["audience/node", &left.to_string(), &right.to_string()])
}

/// The sibling digests on the way from one recipient to the root, each with the side on which it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudienceProof(Vec<(Digest, Side)>);

/// On which side a sibling stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Side {
    Left,
    Right,
}

impl AudienceProof {
    /// The root that follows from this leaf.
    pub fn root(&self, leaf: Digest) -> Digest {
        self.0.iter().fold(leaf, |node, (sibling, side)| match side {
            Side::Left => inner(*sibling, node),
            Side::Right => inner(node, *sibling),
        })
    }
}

/// A frozen audience as a tree, level by level from the leaves up.
#[derive(Debug, Clone)]
pub struct AudienceTree {
    levels: Vec<Vec<Digest>>,
}

impl AudienceTree {
    /// The tree over these leaves, in this order.
    pub fn new(leaves: Vec<Digest>) -> Self {
        let mut levels = vec![leaves];
        while let Some(below) = levels.last().filter(|level| level.len() > 1) {
            let above = below
                .chunks(2)
                .filter_map(|pair| match pair {
                    [left, right] => Some(inner(*left, *right)),
                    [alone] => Some(*alone),
                    _ => None,
                })
                .collect();
            levels.push(above);
        }
        Self { levels }
    }

    /// The digest of the whole audience. Of nobody it is a digest of its own.
    pub fn root(&self) -> Digest {
        let top = self.levels.last().and_then(|level| level.first()).copied();
        top.unwrap_or_else(|| Digest::of_parts(["audience/nobody"]))
    }

    /// The proof for the recipient at a place, from 0.
    pub fn proof(&self, place: usize) -> Option<AudienceProof> {
        self.levels.first()?.get(place)?;
        let mut at = place;
        let mut siblings = Vec::new();
        for level in &self.levels {
            let (sibling, side) = if at.is_multiple_of(2) { (at + 1, Side::Right) } else { (at - 1, Side::Left) };
            siblings.extend(level.get(sibling).map(|digest| (*digest, side)));
            at /= 2;
        }
        Some(AudienceProof(siblings))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn leaves(count: usize) -> Vec<Digest> {
        let class = ClassId::new("c").unwrap();
        (0..count).map(|n| leaf(Digest::of_bytes(&n.to_be_bytes()), &class, None)).collect()
    }

    proptest::proptest! {
        #[test]
        fn everyone_inside_is_proven_and_nobody_else(count in 1_usize..70, place in 0_usize..70, other in 0_usize..70) {
            let leaves = leaves(count);
            let tree = AudienceTree::new(leaves.clone());
            let Some(proof) = tree.proof(place) else {
                proptest::prop_assert!(place >= count);
                return Ok(());
            };
            proptest::prop_assert_eq!(proof.root(leaves[place]), tree.root());
            // Another recipient, class or offer does not fit the proof.
            let class = ClassId::new("c").unwrap();
            let step = OfferStepId::new("ten-percent").unwrap();
            let stranger = leaf(Digest::of_bytes(b"stranger"), &class, None);
            let richer = leaf(Digest::of_bytes(&place.to_be_bytes()), &class, Some(&step));
            proptest::prop_assert_ne!(proof.root(stranger), tree.root());
            proptest::prop_assert_ne!(proof.root(richer), tree.root());
            if other != place && other < count {
                proptest::prop_assert_ne!(proof.root(leaves[other]), tree.root());
            }
            // One more, one fewer or another order is another audience.
            let mut fewer = leaves.clone();
            fewer.pop();
            proptest::prop_assert_ne!(AudienceTree::new(fewer).root(), tree.root());
            let mut turned = leaves;
            turned.reverse();
            proptest::prop_assert!(count == 1 || AudienceTree::new(turned).root() != tree.root());
        }
    }

    #[test]
    fn an_inner_node_is_no_recipient() {
        let three = AudienceTree::new(leaves(3));
        let pair = AudienceTree::new(leaves(2)).root();
        let [_, _, last] = leaves(3)[..] else { panic!() };
        assert_eq!(
            three.root(),
            AudienceTree::new(vec![pair, last]).root(),
            "the shape of a tree, which leaves cannot have"
        );
        assert_ne!(leaf(Digest::of_bytes(b"x"), &ClassId::new("c").unwrap(), None), pair);
    }
}
