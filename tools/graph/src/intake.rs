//! Takes in the catalogue one product at a time, so that neither caller nor builder holds all of it as text.

use std::collections::HashMap;

use kit::{CategoryId, ProductId};

use crate::graph::Product;
use crate::model::GraphProduct;
use crate::orders::Lists;

/// The catalogue with category paths and attributes as numbers.
#[derive(Debug, Default)]
pub(crate) struct Intake {
    pub(crate) products: Vec<Product>,
    pub(crate) categories: Vec<CategoryId>,
    pub(crate) category_places: HashMap<CategoryId, u32>,
    pub(crate) attributes: Vec<(String, String)>,
    attribute_places: HashMap<(String, String), u32>,
    /// Attributes of each product, without repeats.
    pub(crate) described: Lists,
    own: Vec<u32>,
}

impl Intake {
    pub(crate) fn add(&mut self, product: GraphProduct) {
        let category = self.category(product.category);
        let tags = product.tags.into_iter().map(|tag| ("tag".to_owned(), tag));
        self.own.clear();
        for attribute in product.attributes.into_iter().chain(tags) {
            let place = *self.attribute_places.entry(attribute).or_insert_with_key(|attribute| {
                self.attributes.push(attribute.clone());
                self.attributes.len() as u32 - 1
            });
            self.own.push(place);
        }
        self.own.sort_unstable();
        self.own.dedup();
        self.described.push(&self.own);
        self.products.push(Product {
            id: product.id,
            price: product.price,
            margin_permille: product.margin_permille,
            consumable: product.consumable,
            reorder_days: None,
            buyers: 0,
            category,
        });
    }

    /// The place of a category path; parents are taken in on the way.
    fn category(&mut self, path: CategoryId) -> u32 {
        if let Some(place) = self.category_places.get(&path) {
            return *place;
        }
        if let Some(parent) = parent(&path) {
            self.category(parent);
        }
        let place = self.categories.len() as u32;
        self.categories.push(path.clone());
        self.category_places.insert(path, place);
        place
    }

    /// Product positions in order of id.
    pub(crate) fn by_id(&self) -> Vec<u32> {
        let mut by_id: Vec<u32> = (0..self.products.len() as u32).collect();
        let id = |position: &u32| self.products.get(*position as usize).map(|p| &p.id);
        by_id.sort_unstable_by(|a, b| id(a).cmp(&id(b)));
        by_id
    }

    /// Ids in order, repeats included.
    pub(crate) fn ids(&self) -> Vec<&ProductId> {
        let mut ids: Vec<&ProductId> = self.products.iter().map(|p| &p.id).collect();
        ids.sort_unstable();
        ids
    }
}

/// `footwear` of `footwear/hiking-boots`.
pub(crate) fn parent(path: &CategoryId) -> Option<CategoryId> {
    let (parent, _) = path.as_str().rsplit_once('/')?;
    CategoryId::new(parent).ok()
}
