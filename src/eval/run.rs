//! Running suites: cases side by side on as many workers as there are cores, each with shops of its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use oracle::world as truth;

use super::outcome::{CaseResult, Results, SCHEMA, Trial};
use super::play::{self, MORNING, PlayError};
use super::proof::Proof;
use super::score;
use super::stage::{Props, Stage, StageError};
use super::suite::{Case, Step, Suite, Terms};
use super::template::{Template, Templates};
use super::world;
use crate::toolbox;

/// How to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How often every case is tried.
    pub trials: u32,
    /// Workers.
    pub workers: usize,
}

/// Why suites could not be run: the harness or a suite is at fault, nothing is said about the product.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A case could not be played.
    #[error("{suite}: {case}: {source}")]
    Case {
        /// The suite.
        suite: String,
        /// The case.
        case: String,
        /// Why.
        source: Box<PlayError>,
    },
    /// A shop could not be set up.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// A case names products that the shop does not sell.
    #[error("{suite}: {case}: the shop sells no {}", products.join(", "))]
    Products {
        /// The suite.
        suite: String,
        /// The case.
        case: String,
        /// Which.
        products: Vec<String>,
    },
    /// The tools cannot be described.
    #[error(transparent)]
    Tools(#[from] kit::tool::RegistryError),
    /// A worker stopped.
    #[error("a worker stopped: {0}")]
    Worker(String),
}

/// A case to be played.
struct Task {
    suite: usize,
    case: usize,
    trial: u32,
}

struct Shared {
    props: Arc<Props>,
    templates: Templates,
    suites: Vec<Suite>,
    tasks: Vec<Task>,
    next: AtomicUsize,
    range: Arc<BTreeMap<String, truth::Product>>,
}

/// Runs suites.
///
/// # Errors
/// [`RunError`].
pub async fn run(props: Props, suites: Vec<Suite>, options: Options) -> Result<Results, RunError> {
    let props = Arc::new(props);
    // What is true from the beginning was true before it.
    let range = Arc::new(world::range(&props.products, kit::Timestamp::UNIX_EPOCH));
    let mut tasks = Vec::new();
    for (suite, file) in suites.iter().enumerate() {
        for (case, asked) in file.cases.iter().enumerate() {
            let unknown = world::unknown_products(asked, &range);
            if !unknown.is_empty() {
                return Err(RunError::Products {
                    suite: file.suite.clone(),
                    case: asked.name.clone(),
                    products: unknown.into_iter().collect(),
                });
            }
            tasks.extend((0..options.trials.max(1)).map(|trial| Task { suite, case, trial }));
        }
    }
    let templates = Templates::of(props.clone());
    let shared = Arc::new(Shared { props, templates, suites, tasks, next: AtomicUsize::new(0), range });
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..options.workers.clamp(1, shared.tasks.len().max(1)) {
        let shared = shared.clone();
        // A runtime of its own: the store's writer and the case then wake each other on one thread.
        workers.spawn_blocking(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map_err(|e| RunError::Worker(e.to_string()))?.block_on(work(shared))
        });
    }
    let (mut done, mut names) = (BTreeMap::new(), Vec::new());
    while let Some(joined) = workers.join_next().await {
        let (trials, told) = joined.map_err(|e| RunError::Worker(e.to_string()))??;
        done.extend(trials);
        names.extend(told);
    }
    collect(&shared, done, names, options)
}

fn collect(
    shared: &Shared,
    mut done: BTreeMap<usize, Trial>,
    names: Vec<String>,
    options: Options,
) -> Result<Results, RunError> {
    let mut cases: Vec<CaseResult> = Vec::new();
    for (index, task) in shared.tasks.iter().enumerate() {
        let Some(trial) = done.remove(&index) else {
            return Err(RunError::Worker(format!("task {index} was not done")));
        };
        let names = shared
            .suites
            .get(task.suite)
            .and_then(|suite| Some((suite.suite.clone(), suite.cases.get(task.case)?.name.clone())));
        let Some((suite, case)) = names else { continue };
        match cases.last_mut().filter(|last| last.key() == (suite.as_str(), case.as_str())) {
            Some(last) => last.trials.push(trial),
            None => cases.push(CaseResult { suite, case, trials: vec![trial] }),
        }
    }
    let props = &shared.props;
    let release = crate::release::Release::read(kit::Digest::of_bytes(b"eval"), &props.files)
        .map_err(crate::tenant::TenantError::from)
        .map_err(StageError::from)?;
    let model = (props.model)(&release);
    let proof = Proof::of(&props.files, &toolbox::told()?, model.profile(), model.reads_prompts(), names);
    Ok(Results { schema: SCHEMA.to_owned(), proof, trials: options.trials.max(1), cases })
}

/// A stage with the template it was copied from.
struct Set {
    stage: Stage,
    template: Arc<Template>,
}

async fn work(shared: Arc<Shared>) -> Result<(Vec<(usize, Trial)>, Vec<String>), RunError> {
    let mut sets: BTreeMap<Terms, Set> = BTreeMap::new();
    let (mut done, mut names) = (Vec::new(), Vec::new());
    loop {
        let index = shared.next.fetch_add(1, Ordering::Relaxed);
        let Some(task) = shared.tasks.get(index) else { break };
        let Some((suite, case)) =
            shared.suites.get(task.suite).and_then(|suite| Some((suite, suite.cases.get(task.case)?)))
        else {
            continue;
        };
        let terms = case.shop.as_ref().unwrap_or(&suite.shop);
        let (trial, told) = if needs_own_shop(case) {
            let mut set = set_up(&shared, terms).await?;
            let trial = one(&shared, &mut set, suite, case, task.trial).await;
            set.stage.close().await;
            trial?
        } else {
            let set = match sets.entry(terms.clone()) {
                std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
                std::collections::btree_map::Entry::Vacant(entry) => entry.insert(set_up(&shared, terms).await?),
            };
            one(&shared, set, suite, case, task.trial).await?
        };
        names.extend(told);
        done.push((index, trial));
    }
    for set in sets.into_values() {
        set.stage.close().await;
    }
    names.sort();
    names.dedup();
    Ok((done, names))
}

/// A case that changes the shop's rules would be felt by those after it; a campaign goes to everybody of its shop.
fn needs_own_shop(case: &Case) -> bool {
    case.is_brief() || case.story.iter().any(|step| matches!(step, Step::Bans(_)))
}

/// Products whose price or stock a case changes.
fn changed(case: &Case) -> Vec<&kit::ProductId> {
    let changes = case.story.iter().filter(|step| matches!(step, Step::Stock(_) | Step::Price(_)));
    changes.flat_map(play::products_of).collect()
}

async fn set_up(shared: &Shared, terms: &Terms) -> Result<Set, RunError> {
    let template = shared.templates.get(terms).await?;
    let stage = Stage::open(&template, kit::Timestamp::UNIX_EPOCH).await?;
    Ok(Set { stage, template })
}

async fn one(
    shared: &Shared,
    set: &mut Set,
    suite: &Suite,
    case: &Case,
    trial: u32,
) -> Result<(Trial, Vec<String>), RunError> {
    let failed = |source: PlayError| RunError::Case {
        suite: suite.suite.clone(),
        case: case.name.clone(),
        source: Box::new(source),
    };
    let percent = case.shop.as_ref().unwrap_or(&suite.shop).holdout_percent;
    let shop = set.stage.tenant.store.id().clone();
    let trial = world::Trial { suite: &suite.suite, case: &case.name, number: trial };
    let people = trial.people(case, &shop, percent)?;
    let limits = world::limits_of(&set.template.limits, case, &people);
    let changed = changed(case);
    let now = set.stage.free_from(&changed, case.at.unwrap_or(MORNING));
    let world = world::begin(case, &people, limits, &set.template.told, &shared.range, now);
    let cast = play::Cast { people, brief: trial.brief() };
    let played = play::play(&mut set.stage, case, cast, world).await.map_err(failed)?;
    let killed = case.story.iter().any(|step| matches!(step, Step::Kill(_)));
    set.stage.restore(&changed, killed).await?;
    let score = score::score(case, &played);
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    let trial = Trial {
        ending: played.ending,
        misses: score.misses,
        never: score.never,
        mails: count(played.sent.len()),
        model_calls: played.model_calls,
        tool_calls: count(played.tools.len()),
        cost_micros: played.usage.cost_micros,
        letters: played.sent.iter().filter_map(|sent| oracle::Letter::read(&sent.bytes).ok()).collect(),
    };
    Ok((trial, played.models))
}
