//! Rows a second of a pure decode loop: no sampling, no copies of sequences.
//!
//! `cargo bench --bench ceiling -- MODEL ROWS STEPS THREADS invariant|fast` prints a JSON
//! object. The worker's environment is the caller's: see scripts/bench.py.

use std::error::Error;
use std::path::PathBuf;

use moe_sweep::engine::llama::{Llama, Model, ceiling};
use moe_sweep::engine::{LoadSettings, Samplers, Sharing, Strategy};
use moe_sweep::experiment::{Numerics, Offload, OpOffload};

const USAGE: &str = "give MODEL ROWS STEPS THREADS invariant|fast";

fn main() -> Result<(), Box<dyn Error>> {
    // cargo adds --bench.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [path, rows, steps, threads, numerics] = arguments.as_slice() else {
        // `cargo bench` runs all benches: this one has nothing to do without a model.
        println!("ceiling: {USAGE}");
        return Ok(());
    };
    let numerics = match numerics.as_str() {
        "invariant" => Numerics::Invariant,
        "fast" => Numerics::Fast,
        other => return Err(format!("{other}: {USAGE}").into()),
    };
    let (rows, steps): (u32, u32) = (rows.parse()?, steps.parse()?);
    let settings = LoadSettings {
        path: PathBuf::from(path),
        blake3: String::new(),
        offload: Offload::None,
        op_offload: OpOffload::On,
        numerics,
        context: 256,
        strategy: Strategy { lanes: 1, threads: threads.parse()?, rows },
        samplers: Samplers::Llama,
        sharing: Sharing::None,
    };
    let llama = Llama::start()?;
    let model = Model::load(&llama, &settings)?;
    let seconds = ceiling(&llama, &model, &settings, steps)?.as_secs_f64();
    let per_second = f64::from(rows * steps) / seconds;
    println!(r#"{{"rows": {rows}, "steps": {steps}, "seconds": {seconds:.4}, "rows_per_second": {per_second:.1}}}"#);
    Ok(())
}
