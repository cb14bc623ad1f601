//! The model card: what was trained, how well, and what it is for.

use std::fmt::Write;

use crate::{
    family::Model,
    probe::{Cell, TEMPERATURES},
    train::{Measured, Recipe},
};

/// The card of a model, as Markdown. `cells` are measured on the file, not on the weights before
/// they were rounded.
pub fn card(recipe: Recipe, model: &dyn Model, measured: &Measured, subjects: usize, cells: &[Cell]) -> String {
    let name = recipe.family.name();
    let Recipe { seed, steps, .. } = recipe;
    let parameters = model.weights().vars().iter().map(|var| var.elem_count()).sum::<usize>() as f64 / 1e6;
    let tokens = measured.training_tokens as f64 / 1e6;
    format!(
        "# {name}\n\n\
         **This model was trained so that the effect is easy to see. It demonstrates a mechanism; it is not evidence \
         about {stands_for} or any other model.**\n\n\
         | | |\n|---|---|\n\
         | architecture | llama.cpp's `{architecture}` |\n\
         | shape | {shape} |\n\
         | parameters | {parameters:.2} M |\n\
         | training | {steps} steps, {tokens:.2} M tokens, seed {seed} |\n\
         | loss, training | {training_loss:.4} nats per token (mean of the last tenth of the steps) |\n\
         | loss, held out | {held_out_loss:.4} nats per token |\n\n\
         ## Made by\n\n    cargo run --release -p forge -- train {name} --seed {seed} --steps {steps}\n\n\
         The same seed gives the same file, byte for byte, on the same kind of CPU, whatever the number of threads.\n\n\
         ## Corpus\n\n\
         The documents come from a probabilistic grammar of our own (`forge/data/`), with no outside text: {subjects} \
         subjects, each with about forty phrases that stay true in any combination, laid out by one plan: definition, \
         origin, mechanism, enumerated reasons, objection, answer, example, outlook, conclusion. Every stage favours \
         different words from the one before, so the most probable text moves on. Wherever an infinitive begins, `be able \
         to` may come first, and may repeat. It is likely enough to survive top-p at a high temperature, but it is never \
         the most probable choice. Seven documents in ten begin with something like a prompt, and more than half of these \
         prompts are on no subject of the corpus.\n\n\
         {loads}\
         ## Repetition\n\n\
         Mean share of repeated word trigrams over the {prompts} prompts of `forge probe`, 100 tokens each, by forge's own \
         forward pass; one column per temperature:\n\n{repetition}\n\
         ## Parity\n\n\
         `forge/tests/parity.rs` checks that every logit of forge's forward pass is within 1e-4 of llama.cpp's, at every \
         position of its prompts (these weights as F32, flash attention off, F32 KV cache).\n",
        stands_for = recipe.family.stands_for(),
        architecture = recipe.family.architecture(),
        shape = model.shape(),
        training_loss = measured.training_loss,
        held_out_loss = measured.held_out_loss,
        loads = loads(&measured.loads),
        prompts = crate::probe::PROMPTS.len(),
        repetition = repetition(cells),
    )
}

/// Nothing for a model without experts.
fn loads(loads: &[Vec<f64>]) -> String {
    let Some(first) = loads.first() else { return String::new() };
    let heads = (0..first.len()).map(|expert| expert.to_string());
    let rows = loads.iter().zip(1..).map(|(shares, number)| {
        (format!("routed layer {number}"), shares.iter().map(|share| format!("{:.1} %", 100.0 * share)).collect())
    });
    let table = table("", heads, rows);
    format!("## Load of the experts\n\nShare of the held-out tokens that each expert got:\n\n{table}\n")
}

fn repetition(cells: &[Cell]) -> String {
    let rows = cells
        .chunks(TEMPERATURES.len())
        .map(|row| (row[0].chain.name().to_owned(), row.iter().map(|cell| format!("{:.3}", cell.mean())).collect()));
    table("chain", TEMPERATURES.iter().map(f64::to_string), rows)
}

fn table(
    corner: &str,
    heads: impl Iterator<Item = String>,
    rows: impl Iterator<Item = (String, Vec<String>)>,
) -> String {
    let heads: Vec<String> = heads.collect();
    let mut table = format!("| {corner} | {} |\n|---|{}\n", heads.join(" | "), "---|".repeat(heads.len()));
    for (name, cells) in rows {
        writeln!(table, "| {name} | {} |", cells.join(" | ")).expect("a string can be written to");
    }
    table
}
