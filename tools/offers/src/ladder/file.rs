//! The ladder file as it is written. Unknown keys are refused.

use serde::Deserialize;
use toml::Spanned;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LadderFile {
    pub(super) schema: Spanned<String>,
    pub(super) currency: Spanned<String>,
    /// IANA name; the day an offer ends is a day in this zone.
    pub(super) zone: Spanned<String>,
    pub(super) limits: LimitsFile,
    #[serde(default)]
    pub(super) step: Vec<Spanned<StepFile>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitsFile {
    pub(super) max_percent: Spanned<u32>,
    pub(super) max_absolute: Spanned<String>,
    pub(super) min_margin_percent: Spanned<u32>,
    pub(super) shipping_cost: Spanned<String>,
    pub(super) per_customer: Spanned<PerCustomerFile>,
    #[serde(default)]
    pub(super) exclude_categories: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) exclude_tags: Vec<String>,
    #[serde(default)]
    pub(super) budget: BudgetFile,
    pub(super) addiction: AddictionFile,
    pub(super) ceiling: CeilingFile,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PerCustomerFile {
    pub(super) max: u32,
    pub(super) days: u32,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BudgetFile {
    pub(super) month: Option<Spanned<String>>,
    pub(super) customer_month: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AddictionFile {
    pub(super) discounted_in_a_row: Spanned<u32>,
    pub(super) abandoned_carts: Spanned<u32>,
    pub(super) high_affinity_percentile: Spanned<u8>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CeilingFile {
    pub(super) vip: Spanned<String>,
    pub(super) new_customer: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StepFile {
    pub(super) id: Spanned<String>,
    pub(super) percent: Option<Spanned<u32>>,
    #[serde(default)]
    pub(super) free_shipping: bool,
    pub(super) label: Option<Spanned<String>>,
    pub(super) label_de: Option<Spanned<String>>,
    pub(super) code_prefix: Option<Spanned<String>>,
    pub(super) valid_days: Option<Spanned<u32>>,
    pub(super) requires_approval: Option<bool>,
    #[serde(default)]
    pub(super) flows: Vec<Spanned<String>>,
}
