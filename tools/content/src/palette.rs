//! Every shade of a message, mixed from the three colours of its theme.

use crate::identity::{Colour, Theme};

const HOUSE: Theme = Theme {
    accent: Colour { rgb: [0x2f, 0x5d, 0x50] },
    ink: Colour { rgb: [0x1d, 0x23, 0x27] },
    paper: Colour { rgb: [0xff, 0xff, 0xff] },
};
const WHITE: Colour = Colour { rgb: [0xff, 0xff, 0xff] };
const NIGHT: Colour = Colour { rgb: [0x1b, 0x1d, 0x20] };
const MOON: Colour = Colour { rgb: [0xec, 0xea, 0xe6] };

/// The shades of one scheme.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Palette {
    /// Buttons, stars, edges.
    pub(crate) accent: Colour,
    /// Words on a button.
    pub(crate) on_accent: Colour,
    /// Text.
    pub(crate) ink: Colour,
    /// Lesser text.
    pub(crate) muted: Colour,
    /// Rules between parts.
    pub(crate) hairline: Colour,
    /// The sheet.
    pub(crate) paper: Colour,
    /// Around the sheet, and behind the offer.
    pub(crate) tint: Colour,
}

impl Palette {
    /// By day.
    pub(crate) fn light(theme: Option<Theme>) -> Self {
        let Theme { accent, ink, paper } = theme.unwrap_or(HOUSE);
        Self::of(accent, ink, paper, mix(paper, ink, 5))
    }

    /// By night: the accent is lifted until it can be read on dark paper.
    pub(crate) fn dark(theme: Option<Theme>) -> Self {
        let accent = mix(theme.unwrap_or(HOUSE).accent, WHITE, 50);
        Self::of(accent, MOON, NIGHT, Colour { rgb: [0x12, 0x13, 0x15] })
    }

    fn of(accent: Colour, ink: Colour, paper: Colour, tint: Colour) -> Self {
        let on_accent = if contrast(WHITE, accent) >= contrast(NIGHT, accent) { WHITE } else { NIGHT };
        Self { accent, on_accent, ink, muted: mix(ink, paper, 32), hairline: mix(paper, ink, 14), paper, tint }
    }
}

/// `share` per cent of `other` in `base`.
fn mix(base: Colour, other: Colour, share: u16) -> Colour {
    let [r, g, b] = base.rgb;
    let [or, og, ob] = other.rgb;
    let blend = |a: u8, b: u8| {
        let sum = u16::from(a) * (100 - share) + u16::from(b) * share;
        u8::try_from(sum / 100).unwrap_or(u8::MAX)
    };
    Colour { rgb: [blend(r, or), blend(g, og), blend(b, ob)] }
}

/// Contrast ratio of two colours, 1 to 21 (WCAG 2.2, "contrast ratio").
fn contrast(a: Colour, b: Colour) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// Relative luminance, 0 to 1 (WCAG 2.2, "relative luminance").
fn luminance(colour: Colour) -> f64 {
    let linear = |channel: u8| {
        let c = f64::from(channel) / 255.0;
        if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    };
    let [r, g, b] = colour.rgb;
    0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn text_can_be_read_in_both_schemes_whatever_the_accent() {
        for accent in ["#2f5d50", "#ffd400", "#000000", "#ffffff", "#c0392b", "#7f7f7f"] {
            let theme = Theme { accent: Colour::parse(accent).unwrap(), ..HOUSE };
            for palette in [Palette::light(Some(theme)), Palette::dark(Some(theme))] {
                assert!(contrast(palette.ink, palette.paper) >= 7.0, "{accent}: text");
                assert!(contrast(palette.muted, palette.paper) >= 4.5, "{accent}: lesser text");
                assert!(contrast(palette.muted, palette.tint) >= 4.5, "{accent}: lesser text on tint");
                assert!(contrast(palette.on_accent, palette.accent) >= 4.0, "{accent}: button");
            }
        }
    }
}
