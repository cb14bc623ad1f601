//! Want of memory within llama.cpp, as systems without the kernel's hand have it.
#![cfg(target_os = "linux")]

use std::fs;
use std::time::Duration;

use crate::support::{Bench, PROGRAM};

/// As systems without the kernel's hand have it: llama.cpp itself says that it got none.
#[test]
fn a_model_of_llama_cpp_serves_or_says_that_memory_is_short() {
    use std::os::unix::fs::PermissionsExt as _;

    use moe_sweep::domain::{
        Eos, LoadKey, Numerics, Offload, OpOffload, PromptKey, ResolvedChain, Seed, Step, Temperature,
    };
    use moe_sweep::engine::kernels::Kernels;
    use moe_sweep::engine::{Group, Job, LoadMode, LoadSettings, Samplers, Sharing, Strategy, Work};
    use moe_sweep::worker::protocol::{Reply, Request};
    use moe_sweep::worker::{Cause, Executable, ReceiveError, Worker, kernels};

    let bench = Bench::new("");
    let path = crate::support::models().join("deepseek-tiny.gguf");
    let settings = LoadSettings {
        blake3: moe_sweep::model::blake3_of(&path).expect("the model is there"),
        path,
        levels: LoadKey::usual("model").with(Offload::None).with(OpOffload::Off),
        numerics: Numerics::Invariant,
        context: 256,
        strategy: Strategy { lanes: 2, threads: 1, batch: 64 },
        samplers: Samplers::Fast,
        sharing: Sharing::Trie,
        load_mode: LoadMode::Auto,
    };
    let t = Temperature::new(0.9).expect("a temperature");
    let chain = ResolvedChain(vec![Step::Temperature { t }, Step::Dist]);
    let job = |ticket| Job { ticket, chain: chain.clone(), seed: Seed::new(ticket), eos: Eos::default() };
    let group = |prompt: &str, from| Group {
        prompt: prompt.to_owned(),
        key: PromptKey::default(),
        jobs: (from..from + 32).map(job).collect(),
    };
    let groups = vec![group("Once upon a time", 0), group("The sun is", 32)];
    let work = Work { max_tokens: 8, groups, hash_logits: false };

    let (mut served, mut short) = (0, 0);
    for megabytes in [60, 120, 180, 240, 300, 400, 600, 900, 4000] {
        let limited = bench.path().join("limited");
        bench.write("limited", format!("#!/bin/sh\nulimit -v {}\nexec {PROGRAM:?} \"$@\"\n", megabytes * 1000));
        fs::set_permissions(&limited, fs::Permissions::from_mode(0o755)).expect("its own file");
        let executable = Executable::new(limited, Some(Kernels::Ggml));
        kernels(&executable).expect("ggml's are there");
        let mut worker = Worker::start(&executable, Numerics::Invariant).expect("a worker");
        worker.send(&Request::Load(settings.clone()));
        worker.send(&Request::Generate(work.clone()));
        loop {
            match worker.receive(Duration::from_secs(60)) {
                Ok(Reply::Idle) => {
                    served += 1;
                    break;
                }
                Ok(_) => {}
                Err(ReceiveError::Died(death)) => {
                    assert_eq!(death.cause, Cause::Memory, "{megabytes} MB: {death}");
                    short += 1;
                    break;
                }
                Err(ReceiveError::TimedOut) => panic!("{megabytes} MB: the worker hangs"),
            }
        }
    }
    assert!(served > 0 && short > 0, "{served} served, {short} did not");
}
