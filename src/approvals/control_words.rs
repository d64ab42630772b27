//! The content rules over the words of a control before anybody's run is there: what no reader could be sent is not approved.
//!
//! The rules see the control as it would leave, on facts that stand for those of a run. What a message says of its reader (in the
//! cart, ordered, bought) is proven by these facts, since it may be true and is looked at for each reader when the control is
//! due. What would have to be true of the product, such as that few are left or a claim about some goods, is proven by nothing:
//! the words are fixed, and the product is another one for each reader.

use std::fmt;

use kit::fact::FactValue;
use kit::message::{Finding, Severity};
use kit::product::LOW_STOCK;
use kit::{Fact, FactBook, FactId, FactKind, FlowId, Language, ProductId, StoreError, Timestamp};

use crate::release::{Control, Release};
use crate::toolbox::{self, Tags};

/// The product that stands for the one a run is about.
const PRODUCT: &str = "any-product";

/// What a content rule found in a control.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ControlFinding {
    /// In its words in this language.
    pub language: Language,
    /// What was found.
    #[serde(flatten)]
    pub finding: Finding,
}

impl ControlFinding {
    /// True when a control with it never leaves: nobody looks at the message that it stands in for, so a rule that wants a
    /// person stops it as well.
    pub fn stops(&self) -> bool {
        self.finding.severity != Severity::Warn
    }
}

impl fmt::Display for ControlFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "text.{}: {}", self.language, self.finding)?;
        self.finding.span.map_or(Ok(()), |(start, end)| write!(f, " (bytes {start} to {end})"))
    }
}

/// What the rules in force find in a control, whoever reads it; by language, worst first.
///
/// # Errors
/// When its draft cannot be hashed.
pub(super) fn findings(
    release: &Release,
    flow: &FlowId,
    control: &Control,
    now: Timestamp,
) -> Result<Vec<ControlFinding>, StoreError> {
    let unreadable = |why: String| StoreError::Corrupt { what: "control".to_owned(), why };
    let product = ProductId::new(PRODUCT).map_err(|e| unreadable(e.to_string()))?;
    let facts = facts(release, &product, now).map_err(|e| unreadable(e.to_string()))?;
    let mut found = Vec::new();
    for language in control.texts.keys() {
        let draft = control.draft(language, Some(&product), &facts).map_err(unreadable)?;
        let (cited, tags) = (draft.evidence(&facts), Tags::new());
        let report = toolbox::check_proposed(release, &draft, &cited, &facts, flow, &tags, now)?;
        found.extend(report.findings.into_iter().map(|finding| ControlFinding { language: language.clone(), finding }));
    }
    Ok(found)
}

/// What the best placed reader's run would have learned.
fn facts(release: &Release, product: &ProductId, now: Timestamp) -> Result<FactBook, kit::InvalidId> {
    let host = release.shop.identity.link_hosts.first().map_or("", String::as_str);
    let url = |path: &str| FactValue::url(format!("https://{host}/{path}"));
    let acts = || FactValue::Products { products: [product.clone()].into() };
    let mut book = FactBook::new();
    let mut learn = |id: &str, kind: FactKind, fields: Vec<(&str, FactValue)>| -> Result<(), kit::InvalidId> {
        let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let (id, subject) = (FactId::new(id)?, product.to_string());
        book.insert(Fact { id, kind, subject, fields, source: "control".to_owned(), as_of: now });
        Ok(())
    };
    let stock = FactValue::count(LOW_STOCK + 1);
    learn("f101", FactKind::Product, vec![("title", FactValue::text("")), ("url", url("product")), ("stock", stock)])?;
    learn("f102", FactKind::Cart, vec![("url", url("cart")), ("products", acts())])?;
    learn("f103", FactKind::Order, vec![("ordered", acts()), ("bought", acts())])?;
    Ok(book)
}
