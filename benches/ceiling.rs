//! Rows a second of a pure decode loop: no sampling, no copies of sequences.
//!
//! `cargo bench --bench ceiling -- MODEL TEXTS THREADS invariant|fast` prints a JSON object.
//! TEXTS is a JSON file with the tokens of as many texts as are to be decoded side by side: which
//! experts they take decides the speed, so they should be those of the run to compare with. The
//! worker's environment is the caller's: see scripts/bench/ways/engine.py.

use std::error::Error;
use std::fs;
use std::path::Path;

use llama::{
    ContextOptions, HostExperts, Kernels, Llama, LoadMode, Model, Numerics, Overflow, Repack, Samplers, Settings,
    Sharing, Strategy, Token, ceiling,
};

const USAGE: &str = "give MODEL TEXTS THREADS invariant|fast";

fn main() -> Result<(), Box<dyn Error>> {
    // cargo adds --bench.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [path, texts, threads, numerics] = arguments.as_slice() else {
        // `cargo bench` runs all benches: this one has nothing to do without a model.
        println!("ceiling: {USAGE}");
        return Ok(());
    };
    let numerics = match numerics.as_str() {
        "invariant" => Numerics::Invariant,
        "fast" => Numerics::Fast,
        other => return Err(format!("{other}: {USAGE}").into()),
    };
    let texts: Vec<Vec<Token>> = serde_json::from_slice(&fs::read(texts)?)?;
    let rows = u32::try_from(texts.len())?;
    let settings = Settings {
        experts: HostExperts::None,
        experts_used: None,
        repack: Repack::On,
        options: ContextOptions::default(),
        numerics,
        context: 256,
        overflow: Overflow::Refuse,
        strategy: Strategy { lanes: 1, threads: threads.parse()?, rows },
        samplers: Samplers::Llama,
        sharing: Sharing::None,
        load_mode: LoadMode::Auto,
    };
    let llama = Llama::start(Kernels::Ggml)?;
    let model = Model::load(&llama, Path::new(path), &settings)?;
    let seconds = ceiling(&llama, &model, &settings, &texts)?.as_secs_f64();
    let steps = texts.first().map_or(0, |text| text.len() - 1);
    let per_second = (texts.len() * steps) as f64 / seconds;
    println!(r#"{{"rows": {rows}, "steps": {steps}, "seconds": {seconds:.4}, "rows_per_second": {per_second:.1}}}"#);
    Ok(())
}
