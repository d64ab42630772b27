//! What follows from a brief: cost, gaps, risk. Computed anew after every change, by whoever makes it.

use kit::campaign::Brief;
use kit::{ShopId, StoreError, Timestamp};

use crate::desk::{BriefDesk, Figures};
use crate::gaps;

/// The brief with its computed parts, and the figures behind them. `campaign` names the brief.
///
/// # Errors
/// When the shop's data cannot be read.
pub async fn computed(
    desk: &dyn BriefDesk,
    shop: &ShopId,
    campaign: &str,
    mut brief: Brief,
    now: Timestamp,
) -> Result<(Brief, Figures), StoreError> {
    let facts = desk.facts(shop);
    let goods = desk.goods(shop).await?;
    let figures = desk.figures(shop, campaign, &brief, now).await?;
    let shown: gaps::Shown = brief.products.iter().map(|product| goods.product(&product.product, &[], now)).collect();
    brief.offer.cost = figures.cost.clone();
    brief.gaps = gaps::gaps(&brief, &facts, &figures, &shown, now);
    brief.risk = gaps::risk(&brief, &facts, &figures);
    Ok((brief, figures))
}
