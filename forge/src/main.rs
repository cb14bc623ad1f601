//! The commands: wiring only.

mod cli;

use std::{fs, path::Path, time::Instant};

use anyhow::{Context, Result};
use clap::Parser;
use forge::{
    card::card,
    corpus::Corpus,
    gguf::{self, Precision},
    probe::{self, PROMPTS, TEMPERATURES},
    shape,
    train::{self, Progress, Recipe},
};

use rayon::ThreadPoolBuilder;

use cli::{CardKind, Cli, Command};

fn main() -> Result<()> {
    keep_candle_on_one_thread()?;
    match Cli::parse().command {
        Command::Train { family, seed, steps, out, precision, card } => {
            train(Recipe { family, seed, steps }, &out, precision, card)
        }
        Command::Corpus { sample, seed } => corpus(sample, seed),
        Command::Shape { family, layers, seed, out } => shape::write(&out, &family.spec(layers)?, seed),
        Command::Probe { model, prompts, texts } => probe(&model, prompts.as_deref(), texts),
    }
}

/// Work is spread over threads in large pieces here; candle's own threads, within each piece,
/// would only stand in the way.
fn keep_candle_on_one_thread() -> Result<()> {
    let threads = match std::env::var("RAYON_NUM_THREADS") {
        Ok(threads) => threads.parse().context("RAYON_NUM_THREADS is not a number")?,
        Err(_) => std::thread::available_parallelism()?.get(),
    };
    // SAFETY: no other thread runs yet.
    unsafe { std::env::set_var("RAYON_NUM_THREADS", "1") };
    ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    Ok(())
}

fn train(recipe: Recipe, out: &Path, precision: Precision, card_kind: CardKind) -> Result<()> {
    let start = Instant::now();
    let trained = train::train(recipe, |Progress { step, loss, rate }| {
        if step % 20 == 0 || step + 1 == recipe.steps {
            let seconds = start.elapsed().as_secs_f64();
            eprintln!("step {step:4}  loss {loss:.3}  rate {rate:.5}  {seconds:.0} s");
        }
    })?;
    let path = out.join(recipe.family.name()).with_extension("gguf");
    gguf::write(&path, recipe.family, trained.model.as_ref(), &trained.tokenizer, precision)?;
    eprintln!("wrote {}", path.display());
    if card_kind == CardKind::Full {
        let (_, model, tokenizer) = gguf::read(&path)?;
        let cells = probe::probe(model.as_ref(), &tokenizer, PROMPTS)?;
        let card = card(recipe, model.as_ref(), &trained.measured, Corpus::bundled()?.subjects(), &cells);
        let path = path.with_extension("md");
        fs::write(&path, card).with_context(|| format!("cannot write {}", path.display()))?;
        eprintln!("wrote {}", path.display());
    }
    Ok(())
}

fn corpus(sample: usize, seed: u64) -> Result<()> {
    for text in Corpus::bundled()?.documents(seed).take(sample) {
        println!("{text}\n");
    }
    Ok(())
}

fn probe(path: &Path, prompts: Option<&Path>, texts: Option<f64>) -> Result<()> {
    let (_, model, tokenizer) = gguf::read(path)?;
    let cells = match prompts {
        Some(file) => {
            let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
            let prompts: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
            probe::probe(model.as_ref(), &tokenizer, &prompts)?
        }
        None => probe::probe(model.as_ref(), &tokenizer, PROMPTS)?,
    };
    print!("{:18}", "chain");
    TEMPERATURES.iter().for_each(|temperature| print!("{temperature:8}"));
    for row in cells.chunks(TEMPERATURES.len()) {
        print!("\n{:18}", row[0].chain.name());
        row.iter().for_each(|cell| print!("{:8.3}", cell.mean()));
    }
    println!();
    for cell in cells.iter().filter(|cell| Some(cell.temperature) == texts) {
        println!("\n## {} at {}", cell.chain.name(), cell.temperature);
        for text in &cell.texts {
            println!("{:.2} [{}]{}", text.score, text.prompt, text.text);
        }
    }
    Ok(())
}
