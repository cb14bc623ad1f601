//! What took the time, for `timings.csv`, and what sharing saved, in words.

use std::collections::BTreeMap;

use super::csv::{Products, Saved, Timed, TimingRow};
use crate::analysis::Analysis;
use crate::domain::LoadKey;
use crate::journal::Contents;
use crate::journal::record::Outcome;
use crate::manifest::Manifest;
use crate::results::Work;

/// One sentence on what sharing saved.
pub fn work_in_words(work: &BTreeMap<LoadKey, Work>) -> String {
    // What a server evaluates is not known.
    let work = || work.values().filter(|work| work.evaluated_tokens != Some(0));
    let logical: u64 = work().map(|work| work.sharing.logical_tokens).sum();
    let distinct: u64 = work().map(|work| work.sharing.distinct_prefixes).sum();
    let evaluated: Option<u64> = work().map(|work| work.evaluated_tokens).sum();
    if distinct == 0 {
        return String::new();
    }
    let Some(evaluated) = evaluated else {
        return format!(
            "{logical} tokens asked for, {distinct} distinct prefixes; what was evaluated for them is not known: a run was killed, or \
             made texts that the tables leave out\n"
        );
    };
    let ratio = evaluated as f64 / distinct as f64;
    let heads = match work().filter_map(|work| work.shared_head_tokens).sum() {
        0 => String::new(),
        heads => format!(", {heads} of which prompts have in common"),
    };
    format!("{evaluated} tokens evaluated for {logical}: {ratio:.2} × the {distinct} distinct prefixes{heads}\n")
}

/// What was timed: trials in plan order, then what each loaded model did, then
/// every load, its products, its texts made alone, and every run in theirs.
pub fn timings<'a>(
    analysis: &'a Analysis,
    contents: &'a Contents,
    manifest: &'a Manifest,
    work: &'a BTreeMap<LoadKey, Work>,
) -> impl Iterator<Item = TimingRow<'a>> {
    let trials = analysis.trials.iter().filter_map(|scored| {
        let record = contents.records.get(&scored.trial.id)?;
        let Outcome::Generated(generation) = &record.outcome else { return None };
        Some(TimingRow {
            seconds: Some(record.timing.seconds),
            rows: Some(record.timing.batch).filter(|&rows| rows > 0),
            tokens: generation.n_tokens().map(u64::from),
            first_token_seconds: record.timing.first_token_seconds,
            ..TimingRow::of(Timed::Trial(&scored.trial.id))
        })
    });
    let work = work.iter().map(|(load, work)| TimingRow {
        tokens: Some(work.sharing.logical_tokens),
        evaluated_tokens: work.evaluated_tokens,
        distinct_prefixes: Some(work.sharing.distinct_prefixes),
        saved: Some(Saved {
            by_prompts: work.sharing.prompt_again_tokens,
            by_beginnings: work.sharing.beginning_again_tokens,
            by_heads: work.shared_head_tokens,
            by_stopping: work.spared,
        }),
        ..TimingRow::of(Timed::Work(load))
    });
    let loads = manifest.runs.iter().flat_map(|run| &run.loads).map(|load| TimingRow {
        seconds: Some(load.seconds),
        evaluated_tokens: Some(load.effort.evaluated_tokens),
        ..TimingRow::of(Timed::Load(&load.key))
    });
    let products = manifest.runs.iter().flat_map(|run| {
        run.loads.iter().filter_map(|load| {
            Some(TimingRow {
                seconds: load.generating_seconds,
                evaluated_tokens: Some(load.effort.evaluated_tokens),
                products: Some(Products { per_s: load.products_per_s()?, ceiling: run.ceiling }),
                ..TimingRow::of(Timed::Products(&load.key))
            })
        })
    });
    let alone = manifest.runs.iter().flat_map(|run| &run.loads).filter_map(|load| {
        let alone = load.probe.as_ref()?.alone?;
        Some(TimingRow {
            seconds: Some(alone.seconds),
            rows: Some(1),
            tokens: Some(alone.tokens),
            first_token_seconds: alone.first_token_seconds,
            ..TimingRow::of(Timed::Alone(&load.key))
        })
    });
    let runs = manifest.runs.iter().filter(|run| run.has_ended()).map(|run| TimingRow {
        seconds: Some(run.seconds),
        evaluated_tokens: Some(run.effort.evaluated_tokens),
        ..TimingRow::of(Timed::Run(&manifest.experiment))
    });
    trials.chain(work).chain(loads).chain(products).chain(alone).chain(runs)
}
