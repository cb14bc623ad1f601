//! Every manifest that was ever written is read, and what is written now has these bytes.

use std::path::PathBuf;

use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

use crate::engine::http::{Finding, Findings, Probed, ServerFacts};
use crate::engine::{
    DeviceKind, Effort, Footprint, Holding, LoadMode, Samplers, Sharing, Strategy as Spread, Takeover, Widths,
};
use crate::experiment::{Api, Delivery, Extension, HubFile, PackageFile, Served, Server};
use crate::format::strategies::{generates, load_keys, markers};
use crate::format::{sample, samples};
use crate::hardware::{Ceiling, Hardware};
use crate::manifest::{HubEntry, LoadEntry, Manifest, ModelEntry, Placement, RunEntry, ServerEntry};
use crate::model::ModelFile;
use crate::runner::{ProbeReport, Speed};
use crate::seal::{Seal, Trust};
use crate::{domain, engine};

const PLACEMENTS: [Placement; 5] = [
    Placement::AllOnHost,
    Placement::ExpertsOnHost,
    Placement::AllOnAccelerator,
    Placement::NoExperts,
    Placement::Unknown,
];
const KINDS: [DeviceKind; 5] =
    [DeviceKind::Cpu, DeviceKind::Gpu, DeviceKind::IntegratedGpu, DeviceKind::Accelerator, DeviceKind::Unknown];
const EXTENSIONS: [Extension; 6] = [
    Extension::TopK,
    Extension::MinP,
    Extension::TypicalP,
    Extension::RepeatPenalty,
    Extension::RepetitionPenalty,
    Extension::RepeatLastN,
];
const PROBED: [Probed; 7] = [
    Probed::Reproduction,
    Probed::Seed,
    Probed::Temperature,
    Probed::MaxTokens,
    Probed::SamplerOrder,
    Probed::Repetition,
    Probed::EndOfRepetition,
];

fn seconds() -> std::ops::Range<f64> {
    0.0..1e9
}

fn facts() -> impl Strategy<Value = domain::ModelFacts> {
    let scaling = (of(".*"), of(0.0..64.0_f32), of(any::<u32>()))
        .prop_map(|(kind, factor, original_context)| domain::RopeScaling { kind, factor, original_context });
    let chat = (vec(".*", 0..3), ".*", ".*", vec(".*", 0..3))
        .prop_map(|(forms, before, after, unsent)| Box::new(domain::ChatForm { forms, before, after, unsent }));
    let thinking = select(&[domain::Thinking::Default, domain::Thinking::On, domain::Thinking::Off][..]);
    let rendered = (".*", thinking, ".*", ".*", of(".*")).prop_map(|(system, thinking, before, after, date)| {
        domain::RenderedForm { system: system.into(), thinking, before, after, date }
    });
    let counts = any::<(u32, u32, u32, u32, u32, Option<u64>)>();
    (".*", counts, of(scaling), of(chat), vec(rendered, 0..3), of(markers())).prop_map(
        |(architecture, counts, rope_scaling, chat, rendered, thought_markers)| {
            let (n_layer, n_expert, n_expert_used, n_vocab, n_ctx_train, cache_bytes_per_token) = counts;
            domain::ModelFacts {
                architecture,
                n_layer,
                n_expert,
                n_expert_used,
                n_vocab,
                n_ctx_train,
                rope_scaling,
                chat,
                rendered,
                thought_markers,
                own_template: domain::OwnTemplate::default(),
                cache_bytes_per_token,
                cache: domain::CacheFacts::default(),
            }
        },
    )
}

fn servers() -> impl Strategy<Value = ServerEntry> {
    let api = select(vec![Api::Openai, Api::LlamaServer, Api::Ollama, Api::Shimmy]);
    let delivery = select(vec![Delivery::Stream, Delivery::Whole]);
    let names = (".*", ".*", of(".*"), of(".*"));
    let ways = (api, any::<(u32, u32, u32, u32)>(), vec(select(EXTENSIONS.to_vec()), 0..4), delivery);
    let server = (names, ways).prop_map(|((id, url, key_env, own_chain), (api, times, extensions, delivery))| {
        let (concurrency, silence_s, answer_s, patience_s) = times;
        Server { id, url, api, key_env, concurrency, silence_s, answer_s, patience_s, own_chain, extensions, delivery }
    });
    let findings = (select(PROBED.to_vec()), any::<Option<bool>>(), ".*");
    let findings = findings.prop_map(|(probed, honoured, evidence)| Finding { probed, honoured, evidence });
    let findings = of(vec(findings, 0..3).prop_map(Findings));
    let said = || btree_map(".*", ".*", 0..3);
    (server, ".*", said(), any::<Option<u32>>(), said(), findings).prop_map(
        |(server, name, stated, context, defaults, findings)| ServerEntry {
            served: Served { server, name },
            facts: ServerFacts { stated, context, defaults },
            findings,
        },
    )
}

fn models() -> impl Strategy<Value = ModelEntry> {
    let hub = (".*", ".*", ".*", of(".*"))
        .prop_map(|(repo, file, revision, commit)| HubEntry { file: HubFile { repo, file, revision }, commit });
    let package = (".*", ".*", ".*").prop_map(|(package, version, file)| PackageFile { package, version, file });
    let file = (".*", of(hub), vec(package, 0..3), ".*", any::<Option<u64>>());
    let rest = (of(facts()), of(servers()), ".*", vec(".*", 0..3), select(PLACEMENTS.to_vec()));
    (load_keys(), file, rest).prop_map(|(key, (path, hub, packages, blake3, size_bytes), rest)| {
        let (facts, server, engine, accelerators, placement) = rest;
        ModelEntry { key, path, hub, packages, blake3, size_bytes, facts, server, engine, accelerators, placement }
    })
}

fn efforts() -> impl Strategy<Value = Effort> {
    let widths = any::<(u64, u64, u64, u64, u64, u64, u64)>().prop_map(|widths| {
        let (steps, step_tokens, wide_steps, wide_step_tokens, widest_step, prompt_tokens, wide_prompt_tokens) = widths;
        Widths { steps, step_tokens, wide_steps, wide_step_tokens, widest_step, prompt_tokens, wide_prompt_tokens }
    });
    (any::<(u64, u64, u64, u64, u64)>(), of(widths)).prop_map(|(counts, widths)| {
        let (evaluated_tokens, fast_draws, llama_draws, moved_sequences, shared_head_tokens) = counts;
        Effort { evaluated_tokens, fast_draws, llama_draws, moved_sequences, shared_head_tokens, widths }
    })
}

fn footprints() -> impl Strategy<Value = Footprint> {
    let place = (".*", select(KINDS.to_vec()), any::<(u64, u64, u64, u64)>()).prop_map(|(device, kind, bytes)| {
        let (expert_bytes, other_weight_bytes, cache_bytes, compute_bytes) = bytes;
        Holding { device, kind, expert_bytes, other_weight_bytes, cache_bytes, compute_bytes }
    });
    let takeover = prop_oneof![Just(Takeover::Never), any::<u32>().prop_map(Takeover::From)];
    (vec(place, 0..3), of(takeover)).prop_map(|(places, takeover)| Footprint { places, takeover })
}

fn loads() -> impl Strategy<Value = LoadEntry> {
    let file = (".*", ".*", any::<u64>()).prop_map(|(path, blake3, size_bytes)| ModelFile {
        path: PathBuf::from(path),
        blake3,
        size_bytes,
    });
    let strategy = any::<(u32, u32, u32)>().prop_map(|(lanes, threads, batch)| Spread { lanes, threads, batch });
    let speed = (any::<u64>(), seconds(), of(seconds()));
    let speed = speed.prop_map(|(tokens, seconds, first_token_seconds)| Speed { tokens, seconds, first_token_seconds });
    let probe = (any::<u32>(), any::<u32>(), any::<Vec<usize>>(), of(speed));
    let probe = probe.prop_map(|(repeated, agreed, first_differences, alone)| ProbeReport {
        repeated,
        agreed,
        first_differences,
        alone,
    });
    let times = (any::<u32>(), seconds(), of(seconds()));
    (
        load_keys(),
        (of(file), of(".*"), any::<Vec<String>>()),
        of(strategy),
        efforts(),
        (times, of(seconds()), any::<Option<u64>>()),
        of(footprints()),
        of(probe),
    )
        .prop_map(
            |(
                key,
                (file, kernels, broken_kernels),
                strategy,
                effort,
                ((times, seconds, engine_seconds), generating_seconds, products_per_token),
                footprint,
                probe,
            )| LoadEntry {
                key,
                file,
                times,
                kernels,
                broken_kernels,
                strategy,
                effort,
                generating_seconds,
                products_per_token,
                seconds,
                engine_seconds,
                footprint,
                probe,
            },
        )
}

fn runs() -> impl Strategy<Value = RunEntry> {
    let hardware = (of(".*"), ".*", of(".*"), any::<u32>(), any::<Option<u64>>());
    let hardware = hardware.prop_map(|(os, architecture, cpu, usable_cores, memory_bytes)| Hardware {
        os,
        architecture,
        cpu,
        usable_cores,
        memory_bytes,
    });
    let samplers = select(vec![Samplers::Fast, Samplers::Llama]);
    let sharing = select(vec![Sharing::None, Sharing::Prompt, Sharing::Trie]);
    let load_mode = select(vec![LoadMode::Auto, LoadMode::Mmap, LoadMode::None]);
    let means = (samplers, sharing, load_mode);
    let how = (any::<u64>(), vec(".*", 0..3), hardware, any::<u32>(), any::<Option<u32>>(), means);
    let ceiling = (seconds(), seconds(), seconds()).prop_map(|(floats_per_s, bytes_per_s, memory_bytes_per_s)| {
        Ceiling { floats_per_s, bytes_per_s, memory_bytes_per_s }
    });
    let what = (".*", any::<usize>(), efforts(), seconds(), of(ceiling), vec(loads(), 0..3));
    (how, what).prop_map(|(how, (ended, trials_done, effort, seconds, ceiling, loads))| {
        let (started_unix_s, command_line, hardware, threads, batch, (samplers, sharing, load_mode)) = how;
        RunEntry {
            started_unix_s,
            command_line,
            hardware,
            threads,
            batch,
            samplers,
            sharing,
            load_mode,
            ended,
            trials_done,
            effort,
            seconds,
            ceiling,
            loads,
        }
    })
}

fn manifests() -> impl Strategy<Value = Manifest> {
    let head = (".*", ".*", generates(), vec(models(), 0..3));
    let rest = (vec(".*", 0..3), any::<Option<usize>>(), vec(".*", 0..3), vec(runs(), 0..3));
    (head, rest).prop_map(|((moe_sweep, experiment, generate, models), (notes, n_trials, trusted, runs))| Manifest {
        moe_sweep,
        experiment,
        generate,
        models,
        notes,
        n_trials,
        trusted,
        runs,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn what_is_written_is_read(manifest in manifests()) {
        let json = manifest.to_json();
        prop_assert_eq!(Manifest::from_json(&json, Trust::Seals).unwrap(), (manifest, Seal::Whole));
    }
}

#[test]
fn manifests_of_every_version_are_read_and_those_of_this_one_are_written_so() {
    let (mut n_sealed, mut n_unsealed) = (0, 0);
    // A manifest once named the levels of a model after its engine.
    let value = |bytes: &[u8]| {
        let mut value: serde_json::Value = serde_json::from_slice(bytes).expect("it is JSON");
        value.as_object_mut().expect("an object").remove("seal");
        value
    };
    for (file, bytes) in samples("manifest.json") {
        let read = Manifest::from_json(&bytes, Trust::Seals);
        let (manifest, seal) = read.unwrap_or_else(|error| panic!("{file}: {error}"));
        let written = manifest.to_json();
        match seal {
            Seal::Whole => {
                n_sealed += 1;
                assert_eq!(value(&written), value(&bytes), "{file}");
            }
            Seal::Absent => n_unsealed += 1,
            Seal::Broken => panic!("{file}: its seal is broken"),
        }
        assert_eq!(Manifest::from_json(&written, Trust::Seals).unwrap(), (manifest, Seal::Whole), "{file}");
    }
    assert!(n_sealed > 10 && n_unsealed > 10, "{n_sealed} and {n_unsealed}");
}

#[test]
fn what_an_earlier_version_left_out_is_what_it_did() {
    let first = Manifest::from_json(&sample("11-23-0119/plain/run/manifest.json"), Trust::Seals).expect("it is read").0;
    let run = &first.runs[0];
    let means = (run.samplers, run.sharing, run.load_mode, run.effort);
    assert_eq!(means, (Samplers::Llama, Sharing::Trie, LoadMode::Auto, Effort::default()));
    assert_eq!(first.generate.draws, domain::Draws::Common);
    assert_eq!(first.models[0].key.quant(), domain::Quant::Source);
    let server =
        Manifest::from_json(&sample("11-23-0955/server/run/manifest.json"), Trust::Seals).expect("it is read").0;
    let server = &server.models[0].server.as_ref().expect("a server's").served.server;
    assert_eq!((server.answer_s, server.patience_s), (3600, 60));
}

#[test]
fn a_manifest_has_these_bytes() {
    let key = domain::LoadKey::usual("m").with(domain::Offload::Layers(2)).with(domain::OpOffload::Off);
    let load = LoadEntry {
        key: key.clone(),
        file: Some(ModelFile { path: "m.gguf".into(), blake3: "b0".to_owned(), size_bytes: 9 }),
        times: 1,
        kernels: Some("avx2".to_owned()),
        broken_kernels: vec!["k".to_owned()],
        strategy: Some(Spread { lanes: 1, threads: 2, batch: 3 }),
        effort: Effort { widths: Some(Widths { steps: 4, ..Widths::default() }), ..Effort::evaluated(7) },
        generating_seconds: Some(1.75),
        products_per_token: Some(11),
        seconds: 0.5,
        engine_seconds: Some(0.25),
        footprint: Some(Footprint {
            places: vec![Holding::none("Vulkan0".to_owned(), DeviceKind::Gpu)],
            takeover: Some(engine::Takeover::From(32)),
        }),
        probe: Some(ProbeReport {
            repeated: 3,
            agreed: 2,
            first_differences: vec![5],
            alone: Some(Speed { tokens: 6, seconds: 1.5, first_token_seconds: None }),
        }),
    };
    let run = RunEntry {
        started_unix_s: 1,
        command_line: vec!["moe-sweep".to_owned(), "run".to_owned()],
        hardware: Hardware {
            os: None,
            architecture: "x86_64".to_owned(),
            cpu: Some("c".to_owned()),
            usable_cores: 2,
            memory_bytes: Some(8),
        },
        threads: 2,
        batch: Some(4),
        samplers: Samplers::Fast,
        sharing: Sharing::Prompt,
        load_mode: LoadMode::Auto,
        ended: "complete".to_owned(),
        trials_done: 1,
        effort: Effort::evaluated(7),
        seconds: 2.0,
        ceiling: Some(Ceiling { floats_per_s: 12.0, bytes_per_s: 13.0, memory_bytes_per_s: 14.0 }),
        loads: vec![load],
    };
    let facts = domain::ModelFacts {
        architecture: "a".to_owned(),
        n_layer: 1,
        n_expert: 2,
        n_expert_used: 1,
        n_vocab: 3,
        n_ctx_train: 4,
        rope_scaling: Some(domain::RopeScaling { kind: None, factor: Some(0.1), original_context: Some(2) }),
        chat: Some(Box::new(domain::ChatForm {
            forms: vec!["chatml".to_owned()],
            before: "<".to_owned(),
            after: ">".to_owned(),
            unsent: vec![],
        })),
        rendered: vec![],
        thought_markers: Some(crate::metrics::Markers { open: "<t>".into(), close: "</t>".into() }),
        own_template: domain::OwnTemplate::default(),
        cache_bytes_per_token: None,
        cache: domain::CacheFacts::default(),
    };
    let server = Server {
        key_env: Some("KEY".to_owned()),
        own_chain: Some("c".to_owned()),
        extensions: vec![Extension::RepeatLastN],
        ..Server::new("s".to_owned(), "http://h".to_owned(), Api::LlamaServer)
    };
    let finding = Finding { probed: Probed::EndOfRepetition, honoured: None, evidence: "e".to_owned() };
    let model = ModelEntry {
        key,
        path: "m.gguf".to_owned(),
        hub: Some(HubEntry {
            file: HubFile { repo: "o/r".to_owned(), file: "m.gguf".to_owned(), revision: "main".to_owned() },
            commit: Some("c0".to_owned()),
        }),
        packages: vec![],
        blake3: "b0".to_owned(),
        size_bytes: Some(9),
        facts: Some(facts),
        server: Some(ServerEntry {
            served: Served { server, name: "n".to_owned() },
            facts: ServerFacts {
                stated: [("build".to_owned(), "1".to_owned())].into(),
                context: Some(64),
                defaults: [("top_k".to_owned(), "40".to_owned())].into(),
            },
            findings: Some(Findings(vec![finding])),
        }),
        engine: "e".to_owned(),
        accelerators: vec!["Vulkan0".to_owned()],
        placement: Placement::ExpertsOnHost,
    };
    let mut manifest = Manifest {
        moe_sweep: "0.1.0".to_owned(),
        experiment: "x".to_owned(),
        generate: domain::Generate {
            max_tokens: 8,
            context: 64,
            numerics: domain::Numerics::Fast,
            bos: domain::Bos::Never,
            draws: domain::Draws::Common,
        },
        models: vec![model],
        notes: vec!["n".to_owned()],
        n_trials: Some(1),
        trusted: vec!["t".to_owned()],
        runs: vec![run],
    };
    // Without what makes it good to read.
    let compact = |manifest: &Manifest| {
        let text = String::from_utf8(manifest.to_json()).expect("it is text");
        text.lines().map(str::trim_start).collect::<String>().replace("\": ", "\":")
    };
    assert_eq!(compact(&manifest), PINNED);
    // What not every model has.
    let file = PackageFile { package: "p".to_owned(), version: "1".to_owned(), file: "p/m.gguf".to_owned() };
    manifest.models[0].packages = vec![file];
    let expected = r#""commit":"c0"},"packages":[{"package":"p","version":"1","file":"p/m.gguf"}],"blake3":"b0","#;
    assert!(compact(&manifest).contains(expected), "{}", compact(&manifest));
    let rendered = domain::RenderedForm {
        system: domain::System::None,
        thinking: domain::Thinking::Off,
        before: "<".to_owned(),
        after: ">".to_owned(),
        date: Some("2024-07-26".to_owned()),
    };
    manifest.models[0].facts.as_mut().expect("it has facts").rendered = vec![rendered];
    let expected =
        r#""unsent":[]},"rendered":[{"system":"none","thinking":"off","before":"<","after":">","date":"2024-07-26"}],"#;
    assert!(compact(&manifest).contains(expected), "{}", compact(&manifest));
    manifest.runs[0].load_mode = LoadMode::None;
    assert!(compact(&manifest).contains(r#""sharing":"prompt","load_mode":"none","#), "{}", compact(&manifest));
}

/// What this version writes, white space aside. A change of it is a new version.
const PINNED: &str = concat!(
    r#"{"v":2,"moe_sweep":"0.1.0","experiment":"x","generate":{"max_tokens":8,"context":64,"numerics":"fast","#,
    r#""bos":"never"},"models":[{"id":"m","quant":"source","offload":{"layers":2},"op_offload":false,"#,
    r#""path":"m.gguf","hub":{"repo":"o/r","file":"m.gguf","revision":"main","commit":"c0"},"blake3":"b0","#,
    r#""size_bytes":9,"facts":{"architecture":"a","n_layer":1,"n_expert":2,"n_expert_used":1,"n_vocab":3,"#,
    r#""n_ctx_train":4,"rope_scaling":{"kind":null,"factor":0.1,"original_context":2},"#,
    r#""chat":{"forms":["chatml"],"before":"<","after":">","unsent":[]},"thought_markers":{"open":"<t>","#,
    r#""close":"</t>"},"cache_bytes_per_token":null},"server":{"server":{"id":"s","url":"http://h","#,
    r#""api":"llama-server","key_env":"KEY","concurrency":4,"silence_s":120,"answer_s":3600,"patience_s":60,"#,
    r#""own_chain":"c","extensions":["repeat_last_n"],"delivery":"stream"},"name":"n","stated":{"build":"1"},"#,
    r#""context":64,"defaults":{"top_k":"40"},"findings":[{"probed":"end_of_repetition","honoured":null,"evidence":"e"}]},"engine":"e","#,
    r#""accelerators":["Vulkan0"],"placement":"experts_on_host"}],"notes":["n"],"n_trials":1,"trusted":["t"],"#,
    r#""runs":[{"started_unix_s":1,"command_line":["moe-sweep","run"],"hardware":{"os":null,"#,
    r#""architecture":"x86_64","cpu":"c","usable_cores":2,"memory_bytes":8},"threads":2,"batch":4,"#,
    r#""samplers":"fast","sharing":"prompt","ended":"complete","trials_done":1,"evaluated_tokens":7,"#,
    r#""fast_draws":0,"llama_draws":0,"moved_sequences":0,"seconds":2.0,"#,
    r#""ceiling":{"floats_per_s":12.0,"bytes_per_s":13.0,"memory_bytes_per_s":14.0},"#,
    r#""loads":[{"model":"m","quant":"source","offload":{"layers":2},"op_offload":false,"file":{"path":"m.gguf","blake3":"b0","size_bytes":9},"#,
    r#""times":1,"kernels":"avx2","broken_kernels":["k"],"strategy":{"lanes":1,"threads":2,"rows":3},"evaluated_tokens":7,"fast_draws":0,"#,
    r#""llama_draws":0,"moved_sequences":0,"widths":{"steps":4,"step_tokens":0,"wide_steps":0,"#,
    r#""wide_step_tokens":0,"widest_step":0,"prompt_tokens":0,"wide_prompt_tokens":0},"#,
    r#""generating_seconds":1.75,"products_per_token":11,"seconds":0.5,"#,
    r#""engine_seconds":0.25,"footprint":{"places":[{"device":"Vulkan0","kind":"gpu","expert_bytes":0,"#,
    r#""other_weight_bytes":0,"cache_bytes":0,"compute_bytes":0}],"takeover":{"from":32}},"probe":{"repeated":3,"#,
    r#""agreed":2,"first_differences":[5],"alone":{"tokens":6,"seconds":1.5,"first_token_seconds":null}}}]}],"#,
    r#""seal":"eaefde876e6c56a098cdf3a0444edaa5"}"#,
);
