//! `mailwright campaigns edit`: a person's words in the place of a class's copy.

use std::path::PathBuf;

use ::campaign::{Change, ClassEdit};
use clap::Args;
use kit::Role;
use kit::campaign::{CampaignId, ClassId};

use crate::cli::app::App;
use crate::cli::out::{Ink, Out, clean};
use crate::cli::{Failure, failure};
use crate::store::ClassRow;

#[derive(Debug, Args)]
pub(super) struct EditArgs {
    /// The campaign.
    campaign: CampaignId,
    /// The class, as `campaigns show` lists it.
    class: ClassId,
    /// Who you are. You become an author: somebody else approves.
    #[arg(long = "as", value_name = "NAME")]
    name: Option<String>,
    /// A subject in use; give all of them, best first, three to five. The first two are tried against each other.
    #[arg(long = "subject", value_name = "TEXT")]
    subjects: Vec<String>,
    /// A new preheader.
    #[arg(long, value_name = "TEXT")]
    preheader: Option<String>,
    /// New words of the text message, without brand, link and stop words.
    #[arg(long, value_name = "TEXT")]
    sms: Option<String>,
    /// A JSON file with any of "subjects", "preheader", "blocks" and "sms", as this command prints them without changes.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

pub(super) async fn run(app: &App, args: EditArgs, out: &Out) -> Result<(), Failure> {
    let edit = wanted(&args)?;
    if edit == ClassEdit::default() {
        let row = app.tenant.campaign_class(&args.campaign, &args.class).await.map_err(failure)?;
        return open(&row, out);
    }
    let name = args.name.as_deref().ok_or_else(|| Failure::new("say who you are: --as NAME"))?;
    let who = app.who(name, Role::Marketer, "campaigns edit").await?;
    let edited = app.tenant.edit_class(&args.campaign, &args.class, &who, &edit).await.map_err(failure)?;
    out.value(&serde_json::json!({
        "campaign": args.campaign, "class": args.class, "approval": edited.approval, "changes": edited.changes,
        "findings": edited.copy.mail.iter().chain(&edited.copy.sms).flat_map(|r| &r.report.findings).collect::<Vec<_>>(),
    }))?;
    for Change { place, before, after } in &edited.changes {
        out.line(&out.ink(Ink::Bold, place));
        for (sign, ink, words) in [("-", Ink::Bad, before), ("+", Ink::Good, after)] {
            if let Some(words) = words {
                out.line(&out.ink(ink, &format!("{sign} {}", clean(words))));
            }
        }
    }
    out.line(&format!(
        "{} {} of {}; earlier approvals do not count any more, and somebody else than {name} decides: mailwright approvals show {}",
        out.ink(Ink::Good, "edited"),
        args.class,
        args.campaign,
        edited.approval
    ));
    Ok(())
}

/// The file's fields, with those of the command line in their place.
fn wanted(args: &EditArgs) -> Result<ClassEdit, Failure> {
    let mut edit = match &args.file {
        Some(file) => {
            let bytes = crate::cli::trigger::read(file)?;
            serde_json::from_slice::<ClassEdit>(&bytes).map_err(|e| Failure::new(format!("{}: {e}", file.display())))?
        }
        None => ClassEdit::default(),
    };
    if !args.subjects.is_empty() {
        edit.subjects = Some(args.subjects.clone());
    }
    edit.preheader = args.preheader.clone().or(edit.preheader);
    edit.sms = args.sms.clone().or(edit.sms);
    Ok(edit)
}

/// The copy in the form that `--file` takes: printed to be changed and given back.
fn open(row: &ClassRow, out: &Out) -> Result<(), Failure> {
    let copy = row.copy.as_ref().ok_or_else(|| Failure::new(format!("class {} is not written yet", row.id)))?;
    let mail = copy.mail.as_ref().map(|record| &record.draft);
    let form = ClassEdit {
        subjects: mail.map(|draft| draft.subjects.clone()),
        preheader: mail.map(|draft| draft.preheader.clone()),
        blocks: mail.map(|draft| draft.blocks.clone()),
        sms: copy.sms.as_ref().and_then(|record| {
            record.draft.blocks.iter().find_map(|block| match block {
                kit::message::Block::Paragraph { text } => Some(text.clone()),
                _ => None,
            })
        }),
    };
    out.note("Write this to a file, change it, and give it back: campaigns edit CAMPAIGN CLASS --as NAME --file FILE");
    for fact in copy.mail.iter().chain(&copy.sms).flat_map(|record| record.facts.iter()) {
        out.note(&format!("  {} is a {:?}: {}", fact.id, fact.kind, clean(&fact.subject)));
    }
    out.raw(&serde_json::to_string_pretty(&form).map_err(failure)?);
    Ok(())
}
