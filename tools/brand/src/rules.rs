//! The rules built into the checker: their ids, severities, reasons, remedies, owners and sources.
//!
//! A shop's rule file may raise a severity (`[severity]`), never lower it. Word lists live in `lexicon.toml`.

use kit::message::Severity::{self, Approve, Block, Warn};

/// One built-in rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Its id.
    pub id: &'static str,
    /// What it does at least.
    pub severity: Severity,
    /// Why it exists.
    pub why: &'static str,
    /// How to mend a text it finds.
    pub mend: &'static str,
    /// Who answers for it.
    pub owner: &'static str,
    /// Where it comes from.
    pub source: &'static str,
}

macro_rules! rules {
    ($($name:ident $id:literal $severity:ident $owner:literal $source:literal $why:literal => $mend:literal;)+) => {
        $(pub(crate) const $name: Rule = Rule {
            id: $id, severity: $severity, why: $why, mend: $mend, owner: $owner, source: $source,
        };)+
        /// Every built-in rule.
        pub const ALL: &[&Rule] = &[$(&$name),+];
    };
}

rules! {
    // Script: what a filter or a reader would see as another text than the one checked.
    INVISIBLE "script.invisible" Block "security" "email-compliance 4; UTS 39"
        "invisible or control characters hide words from checks and readers" => "type the words again with plain letters";
    FOREIGN "script.mixed" Block "security" "email-compliance 4; UTS 39"
        "letters of another alphabet imitate Latin ones" => "type the word again with Latin letters";
    STYLED "script.styled" Block "security" "email-compliance 4"
        "full-width, circled or mathematical letters are unreadable for screen readers and dodge checks" => "use plain letters";
    SPACED "script.spaced" Block "security" "email-compliance 4"
        "letters with gaps or signs between them are how spam dodges filters" => "write the word normally or leave it out";

    // Figures: a value without a fact does not leave.
    DIGITS "figure.digits" Block "marketing ops" "mission N13; design 1"
        "figures come from facts, never from the writer" => "use {{fNNN.field}} of a fact you were given, or leave the figure out";
    CURRENCY "figure.currency" Block "marketing ops" "mission N13; design 1"
        "prices come from facts, never from the writer" => "use {{fNNN.price}}";
    PERCENT "figure.percent" Block "marketing ops" "mission N13; design 1"
        "percentages come from an offer fact" => "use {{fNNN.label}} of the offer fact, in an offer block";
    MONEY_WORDS "figure.money-words" Block "marketing ops" "mission N13"
        "amounts in words are still amounts" => "use {{fNNN.price}}";
    NUMBER_WORDS "figure.number-words" Block "marketing ops" "mission N13"
        "figures in words are still figures" => "use a field of a fact such as {{fNNN.highlight}}, or leave the figure out";
    MEASURE_WORDS "figure.measure-words" Approve "marketing ops" "mission N13"
        "a measured amount without a fact" => "use a field of a fact such as {{fNNN.highlight}}, or leave the amount out";
    DATES "figure.date" Block "marketing ops" "mission N13; RCW 19.190.020"
        "days and months come from facts" => "use {{fNNN.ends}} of the offer fact, or leave the day out";
    URL "figure.url" Block "security" "design 4"
        "links come from facts" => "leave the address out: blocks link by their fact";
    EMAIL "figure.email" Block "security" "design 4"
        "addresses are never typed" => "leave the address out: replies reach the shop";
    MARKUP "figure.markup" Block "security" "email-compliance 1"
        "code makes the markup; texts are words only" => "write plain words";

    // Placeholders.
    SLOT_SYNTAX "slot.syntax" Block "marketing ops" "design 1" "the placeholder cannot be read" => "write {{f101.title}}";
    SLOT_FACT "slot.unknown-fact" Block "marketing ops" "design 1"
        "there is no such fact in this run" => "cite a fact that a tool gave you";
    SLOT_FIELD "slot.unknown-field" Block "marketing ops" "design 1"
        "the fact has no such field" => "use one of its fields";
    SLOT_LINK "slot.not-printable" Block "marketing ops" "design 1"
        "links and pictures are no words" => "let a product, guide or cta block show it";
    SLOT_REVIEW "slot.review" Block "legal" "16 CFR 465.2"
        "reviews are quoted whole or not at all" => "use a review block";
    QUOTED "review.typed" Block "legal" "16 CFR 465.2, 255.2; UCPD annex I no. 23b"
        "somebody's words are quoted that no review fact holds" => "leave it out, or show a review block: it quotes word for word";
    SLOT_OFFER "slot.offer" Block "merchandising" "mission 74"
        "an offer is named without its offer block, which states the terms" => "add one offer block that cites the fact";
    SLOT_WAS "slot.was-price" Approve "legal" "Dir. 98/6 art. 6a; 16 CFR 233.1"
        "a former price must be the lowest of the last 30 days" => "leave the former price out, or let a person confirm it";
    NAME_PLACE "slot.first-name-place" Block "marketing ops" "design 1"
        "the name belongs in subject, preheader, heading or paragraph" => "take the name out here";
    NAME_TYPED "slot.first-name-typed" Block "privacy" "design 1"
        "a typed name greets the wrong reader" => "use {{customer.first_name}}";
    NAME_FORM "slot.first-name-form" Warn "marketing ops" "design 1"
        "without a known name this reads badly" => "write `{{customer.first_name}}, …` or `Hi {{customer.first_name}}, …`";

    TITLE_TYPED "slot.title-typed" Block "marketing ops" "design 1"
        "a typed title may be another product's, or another day's" => "write {{fNNN.title}}, or name the kind of thing";

    // What the reader did: true only with a fact of this run.
    CART "reader.cart" Block "legal" "UCPD art. 6; FTC Act 5; mission N13"
        "no fact says that this is in the reader's cart" => "leave it out, or name a product of the cart: what `lookup_profile` calls `in_cart`";
    ORDERED "reader.ordered" Block "legal" "UCPD art. 6; FTC Act 5; mission N13"
        "no fact says that the reader ordered this" => "leave it out, or name a product of an order: what `lookup_profile` calls `ordered`";
    BOUGHT "reader.bought" Block "legal" "UCPD art. 6; FTC Act 5; mission N13"
        "no fact says that the reader bought this and kept it" => "leave it out, or name a product they own";
    CHOSEN "reader.chosen" Block "legal" "UCPD art. 6; FTC Act 5; mission N13"
        "no fact says that the reader chose this" => "leave it out, or name a product of the cart or an order";
    ACT "reader.act" Block "legal" "UCPD art. 6; FTC Act 5; mission N13"
        "nothing here can prove what the reader asked, wanted or agreed to, or what was done for them" => "leave it out: speak about the product";
    SCARE "scare.account" Block "legal" "UCPD art. 6, annex I no. 21; 15 USC 7704(a)(2)"
        "words about accounts, payments and deliveries in trouble are how fraud begins" => "leave it out: such notices come from the shop platform";

    // Structure.
    SMS_SHAPE "sms.shape" Block "marketing ops" "mission 34"
        "a text message is one short text and one link" => "one paragraph, then one cta, no subject and no preheader";
    SMS_PRODUCTS "sms.products" Block "marketing ops" "mission 34"
        "a text message is about one product, two at most" => "name fewer products";
    SUBJECTS "structure.subjects" Block "marketing ops" "mission N9"
        "people and tests choose among subject options" => "write three to five subjects";
    SUBJECTS_ALIKE "structure.subjects-alike" Block "marketing ops" "issue 3"
        "two subjects say the same" => "give each subject its own angle";
    SUBJECT_LENGTH "structure.subject-length" Block "marketing ops" "brand rules"
        "long subjects are cut off" => "shorten it; values filled in count too";
    SUBJECT_MEANING "structure.subject-meaning" Warn "marketing ops" "issue 2"
        "phones show some 40 characters; the product comes later" => "put the product first";
    PREHEADER_LENGTH "structure.preheader-length" Block "marketing ops" "brand rules"
        "a preheader outside these lengths wastes the second line of the inbox" => "write 30 to 110 characters; values filled in count too";
    PREHEADER_REPEATS "structure.preheader-repeats" Block "marketing ops" "brand rules"
        "the preheader repeats the first subject" => "add a second reason to open";
    HEADING "structure.heading" Block "marketing ops" "brand rules"
        "one headline, on top" => "make the first block the only heading";
    CTA_COUNT "structure.cta" Block "marketing ops" "issue 2" "one call to action per message" => "keep exactly one cta block";
    CTA_PLACE "structure.cta-place" Block "marketing ops" "brand rules"
        "after the call to action only guides and reviews follow" => "move the cta block down";
    CTA_LINK "structure.cta-link" Block "marketing ops" "design 1"
        "the button has no link" => "cite a fact with a url: cart, product, guide or offer";
    CTA_LABEL "structure.cta-label" Block "accessibility" "WCAG 2.4.4"
        "the label does not say where it leads" => "name the action, such as `See the tent` or `Zum Warenkorb`";
    CTA_VERB "structure.cta-verb" Warn "marketing ops" "brand rules"
        "a label that starts with a verb is clearer" => "start with a verb";
    PRODUCTS "structure.products" Block "merchandising" "mission 44"
        "the flow shows another number of products" => "keep to the number this flow allows";
    PRODUCT_TWICE "structure.product-twice" Block "merchandising" "brand rules" "the same product twice" => "drop one of the blocks";
    ONE_IDEA "structure.one-idea" Block "marketing ops" "issue 2"
        "one message, one idea" => "cut to the paragraphs and characters allowed";
    FACT_KIND "structure.fact-kind" Block "marketing ops" "design 1"
        "the block shows another kind of fact" => "cite a fact of the block's own kind";
    OFFER_COUNT "structure.offers" Block "merchandising" "brand rules: stack = false" "offers do not stack" => "keep one offer block";

    // Facts behind the message.
    OUT_OF_STOCK "fact.out-of-stock" Block "merchandising" "mission N"
        "never recommend what cannot be bought" => "choose another product, or ask for a substitute";
    OFFER_ENDED "fact.offer-ended" Block "merchandising" "RCW 19.190.020" "the offer has ended" => "drop the offer: a run has one grant";
    REVIEW_STARS "fact.review-stars" Block "legal" "16 CFR 465" "a review without stars is no review of ours" => "cite another review";
    REVIEW_PRODUCT "fact.review-product" Block "legal" "16 CFR 465.2"
        "the review is about another product" => "cite a review of a product in this message";
    CLAIM_FACT "fact.claim" Block "legal" "claims register"
        "the cited claim is not approved for these products now" => "cite a claim that is in force for a product in this message";
    OUTSIDE_TEXT "fact.outside-text" Block "security" "email-compliance 6"
        "text from outside carries a link, an address or hidden characters" => "do not show this fact";
    OUTSIDE_WORDS "fact.outside-words" Approve "legal" "email-compliance 6"
        "text from outside makes a claim the shop would have to stand for" => "choose another product or review";
    OUTSIDE_OFFER "fact.outside-offer" Block "merchandising" "mission N3, N13"
        "text from outside names a reduction, which readers would take for an offer" => "choose another product or review";
    LINK_HOST "link.host" Block "security" "brand rules: links" "links lead to the shop's own hosts over https" => "cite a fact with a link of the shop";
    LINK_PERSONAL "link.personal" Block "privacy" "brand rules: no_pii_in_url" "the link carries an address" => "cite a fact with a clean link";
    CONNECTION "review.connection" Block "legal" "16 CFR 255.5, 465.5"
        "the reviewer got something from the shop or belongs to it" => "cite a review by an ordinary buyer";
    MIXED_CURRENCY "fact.currency" Block "marketing ops" "mission N13"
        "amounts in two currencies in one message" => "show products and totals in one currency";
    LINK_UTM "link.utm" Block "marketing ops" "brand rules: links"
        "the link carries a campaign parameter that is not on the list" => "cite a fact with a clean link; code adds the campaign";
    IMAGE_ALT "image.alt" Warn "accessibility" "WCAG 1.1.1"
        "the picture has no words for those who cannot see it" => "give the product an image_alt in the catalogue";
    REGULATED "regulated.review" Approve "legal" "mission 76" "regulated goods: a person must look" => "nothing to mend; a person will look";
    REGULATED_HEALTH "regulated.health" Block "legal" "21 USC 343(r)(6), 21 CFR 101.93; EU 1924/2006; EU 655/2013; EU 528/2012"
        "words about health beside regulated goods make them a medicine" => "say form, size and use, nothing about the body";

    // Detectors with word lists in lexicon.toml.
    SUPERLATIVE "claim.superlative" Approve "legal" "UCPD art. 6; FTC Act 5" "a superlative must be proven" => "say what is special, from a fact";
    BENEFIT "claim.benefit" Approve "legal" "UCPD art. 6" "a measured benefit must be proven" => "use an approved claim word for word or a fact's highlight";
    CERTIFICATION "claim.certification" Approve "legal" "UCPD annex I no. 2-4" "seals and tests must be held" => "use an approved claim word for word";
    HEALTH "claim.health" Block "legal" "EU 1924/2006; FTC Health Products Guidance 2022" "health claims are off limits" => "leave it out";
    ENVIRONMENTAL "claim.environmental" Approve "legal" "Dir. 2024/825" "environmental claims must be proven" => "use an approved claim word for word";
    GUARANTEE "claim.guarantee" Approve "legal" "15 USC 2301; BGB 443" "a guarantee binds the shop" => "leave it out or link a guide with the terms";
    COMPARATIVE "claim.comparative" Approve "legal" "Dir. 2006/114 art. 4" "comparisons must be fair and proven" => "describe this product only";
    PERFORMANCE "claim.performance" Approve "legal" "claims register" "protection claims come from the register, word for word" => "use an approved claim word for word or a fact's highlight";
    DELIVERY "claim.delivery" Approve "operations" "UCPD art. 6" "a delivery promise without a fact" => "leave it out";
    SCARCITY "urgency.scarcity" Block "legal" "UCPD annex I no. 7; FTC Act 5" "scarcity needs a product with few left" => "leave it out, or cite a product fact whose stock is low";
    DEADLINE "urgency.deadline" Block "legal" "UCPD annex I no. 7; RCW 19.190.020" "a deadline needs an offer that ends" => "leave it out, or show the offer block and name {{fNNN.ends}}";
    TODAY "urgency.today" Block "legal" "UCPD annex I no. 7; RCW 19.190.020" "the offer does not end within a day" => "name {{fNNN.ends}} instead";
    SOCIAL_PROOF "urgency.social-proof" Block "legal" "16 CFR 465; UCPD annex I no. 23b" "popularity needs a review behind it" => "leave it out, or show a review block";
    PROMISE_DISCOUNT "promise.discount" Block "merchandising" "mission N3" "a discount is promised that no offer in this message grants" => "leave it out, or call quote_offer and show its block";
    PROMISE_SHIPPING "promise.shipping" Block "merchandising" "mission N3; 16 CFR 251.1" "free delivery is promised that no offer in this message grants" => "leave it out, or call quote_offer and show its block";
    PROMISE_CODE "promise.code" Block "merchandising" "mission N3" "a code is promised that no offer in this message grants" => "leave it out, or call quote_offer and show its block";
    PROMISE_FREE "promise.free" Block "merchandising" "16 CFR 251.1" "something free is promised that no offer in this message grants" => "leave it out";
    FREE_WORD "promise.free-word" Approve "merchandising" "16 CFR 251.1" "`free` may promise something" => "use another word";
    SERVICE "tone.service-moment" Block "customer experience" "brand rules: service" "a service message does not sell" => "take out the offer or the urgency";
    CREEPY "privacy.watching" Block "privacy" "brand rules: never_mention" "nobody wants to hear that they are watched" => "speak about the product, not about what they did";
    NEVER_MENTION "privacy.never-mention" Block "privacy" "brand rules: never_mention; GDPR 13"
        "counts, sums, returns and places are ours to know and not to say" => "speak about the product, or about the order as such";
    SIGNALS "privacy.signals" Approve "privacy" "mission 70; brand rules: max_signals_per_message"
        "the message shows more of what we know of the reader than it needs" => "build on one thing they would expect us to know";
    SENTIMENT "review.sentiment" Block "legal" "16 CFR 465.4, 465.7; UCPD annex I no. 23c"
        "reviews are asked of everybody alike, and nothing is paid for praise" => "ask for a review, good or bad, and promise nothing for it";
    TONE "tone.off" Warn "brand" "voice.md; brand rules: tone" "the words do not sound like this moment" => "see voice.md";
    SENSITIVE "privacy.sensitive" Block "privacy" "GDPR 9; mission 75" "nothing about health, faith, age or family of the reader" => "leave it out";
    BIASED "bias.targeting" Approve "customer experience" "mission 80" "the words single out a group" => "speak to every reader";
    SECRETS "safety.machine-words" Block "security" "email-compliance 6" "these are words to a machine, not to a reader" => "write to the reader";

    // Style and language.
    FAKE_REPLY "subject.fake-reply" Block "legal" "15 USC 7704(a)(2)" "a fake reply or forward deceives" => "start with the subject itself";
    CHECK_MARK "subject.check-mark" Block "legal" "Gmail sender rules" "check marks imitate a verified sender" => "take the mark out";
    EXCLAIM "style.exclamation" Warn "brand" "brand rules: style" "too many exclamation marks" => "end with a full stop";
    FORMAL "style.formal-address" Block "brand" "voice.md, how German differs"
        "the text says du and Sie at once" => "write du, dein, dir throughout";
    CAPS "style.caps" Warn "brand" "brand rules: style" "words in capitals shout" => "use lower case";
    EMOJI "style.emoji" Warn "brand" "brand rules: style" "too many emoji" => "take some out";
    EMOJI_DENIED "style.emoji-denied" Block "brand" "brand rules: style" "this emoji is on the deny list" => "take it out";
    READING "style.reading" Warn "brand" "Flesch-Kincaid; Amstad" "hard to read" => "use shorter sentences and words";
    LANGUAGE "language.wanted" Block "brand" "brand rules: languages" "the reader's language is another one" => "write in the language of the brief";
    LANGUAGE_MIX "language.mismatch" Warn "brand" "email-compliance 4" "the words are in another language than declared" => "write the whole message in one language";
}
