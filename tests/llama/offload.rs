//! Where the experts are: by llama.cpp's own count, against what the file's header
//! says. On Vulkan with `make vulkan-test`.

use crate::support::{Bench, Said, models, sealed};
use serde_json::{Value, json};

/// Three arms of one model, which differ in their offload alone.
const ARMS: &str = r#"
schema = 1
name = "x"

[generate]
max_tokens = 8
context = 64

[grid]
model = ["phi-moe-tiny"]
chain = ["greedy"]
offload = ["none", 2, "all"]
temperature = [1.0]

[prompts]
inline = ["Once upon a time", "Dear Sir or Madam,", "The weather"]

[[hypothesis]]
id = "h"
claim = "It changes nothing."
equivalence = { base = { offload = "none" }, other = { offload = "all" } }
margin = 0.1
"#;

/// Runs a command with this value of GGML_VK_VISIBLE_DEVICES.
fn run(bench: &Bench, arguments: &[&str], visible: Option<&str>) -> Said {
    let mut command = bench.command(arguments);
    command.env("MOE_SWEEP_MODELS", models()).env_remove("GGML_VK_VISIBLE_DEVICES");
    command.envs(visible.map(|visible| ("GGML_VK_VISIBLE_DEVICES", visible)));
    command.output().expect("moe-sweep starts").into()
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Bytes of the model's experts, from the file's header.
fn expert_bytes_by_header(bench: &Bench) -> u64 {
    let said = run(bench, &["model", "inspect", "phi-moe-tiny", "--json"], None);
    let header = parsed(&said.stdout);
    header["weights"]["expert_bytes"].as_u64().unwrap_or_else(|| panic!("{header:#}"))
}

/// The places of the load with this offload.
fn places(manifest: &Value, offload: &Value) -> Vec<Value> {
    let loads = manifest["runs"][0]["loads"].as_array().expect("loads");
    let load = loads.iter().find(|load| load["offload"] == *offload).expect("the offload was loaded");
    load["footprint"]["places"].as_array().expect("places").clone()
}

fn bytes(place: &Value, what: &str) -> u64 {
    place[what].as_u64().unwrap_or_else(|| panic!("no {what} in {place:#}"))
}

#[test]
fn the_host_is_listed_and_a_missing_gpu_has_a_remedy() {
    let bench = Bench::new("");
    let text = run(&bench, &["devices"], None);
    assert_eq!(text.code, Some(0), "{text:#?}");
    assert!(text.stdout.lines().any(|line| line.starts_with("CPU ") && line.contains("free of")), "{text:#?}");

    let listed = parsed(&run(&bench, &["devices", "--json"], None).stdout);
    let devices = listed["devices"].as_array().expect("devices");
    let cpu = devices.iter().find(|device| device["kind"] == "cpu").expect("there is always a CPU");
    assert!(cpu["memory_total_bytes"].as_u64() > Some(1 << 28), "{cpu:#}");
    let gpu = devices.iter().any(|device| device["kind"] == "gpu" || device["kind"] == "integrated_gpu");
    assert_eq!(listed["remedy"].is_null(), gpu, "{listed:#}");
    if !gpu {
        let remedy = listed["remedy"].as_str().expect("a remedy");
        let expected = if cfg!(feature = "vulkan") { "GGML_VK_VISIBLE_DEVICES=0" } else { "--features" };
        assert!(remedy.contains(expected) || cfg!(feature = "cuda"), "{remedy}");
    }
}

#[cfg(not(any(feature = "vulkan", feature = "cuda")))]
#[test]
fn without_a_gpu_everything_is_on_the_host_and_nothing_is_concluded() {
    let bench = Bench::new(ARMS);
    let said = run(&bench, &["run", "x.toml", "--out", "run", "-v"], None);
    assert_eq!(said.code, Some(0), "{said:#?}");
    let by_header = expert_bytes_by_header(&bench);
    let manifest = parsed(&bench.result("run", "manifest.json"));
    for offload in [Value::from("none"), json!({ "layers": 2 }), Value::from("all")] {
        let places = places(&manifest, &offload);
        assert_eq!(places.len(), 1, "{places:#?}");
        assert_eq!(places[0]["kind"], "cpu");
        assert_eq!(bytes(&places[0], "expert_bytes"), by_header);
        for what in ["other_weight_bytes", "cache_bytes", "compute_bytes"] {
            assert!(bytes(&places[0], what) > 0, "{what}: {places:#?}");
        }
    }
    assert!(said.stdout.contains("placement: phi-moe-tiny, offload all: CPU "), "{}", said.stdout);
    assert!(!said.stdout.contains("saves "), "{}", said.stdout);
    let unwrapped = said.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(unwrapped.contains("so offload has no effect") && said.stdout.contains("INCONCLUSIVE"), "{}", said.stdout);

    let timings = bench.result("run", "timings.csv");
    assert!(timings.lines().any(|line| line.starts_with("alone,\"phi-moe-tiny, offload all\",")), "{timings}");
}

/// The hypothesis of [`ARMS`], which `report` decides from the counts of a manifest: a
/// run here, with the manifest changed as if there had been an accelerator.
#[cfg(not(any(feature = "vulkan", feature = "cuda")))]
#[test]
fn report_compares_no_placements_across_steps_that_a_device_took_over() {
    let bench = Bench::new(ARMS);
    let said = run(&bench, &["run", "x.toml", "--out", "run"], None);
    assert_eq!(said.code, Some(0), "{said:#?}");
    let mut plan = parsed(&bench.result("run", "plan.json"));
    plan["inert"] = json!([]);
    bench.write("run/plan.json", sealed(plan));
    let manifest = parsed(&bench.result("run", "manifest.json"));
    let verdict_with = |change: &dyn Fn(&mut Value)| {
        let mut manifest = manifest.clone();
        for model in manifest["models"].as_array_mut().expect("models") {
            if model["offload"] != "none" {
                model["placement"] = "experts_on_host".into();
            }
        }
        manifest["runs"][0]["loads"].as_array_mut().expect("loads").iter_mut().for_each(change);
        bench.write("run/manifest.json", sealed(manifest));
        let said = run(&bench, &["report", "run"], None);
        assert_eq!(said.code, Some(0), "{said:#?}");
        let verdicts = parsed(&bench.result("run", "verdicts.json"));
        let verdict = verdicts["verdicts"][0].clone();
        let text = |what: &str| verdict[what].as_str().unwrap_or_else(|| panic!("{verdict:#}")).to_owned();
        (text("outcome"), text("sentence"))
    };
    let counted = |steps: u64, tokens: u64| {
        move |load: &mut Value| {
            load["footprint"]["takeover"] = json!({ "from": 32 });
            load["widths"] = json!({ "steps": 8, "step_tokens": 256, "wide_steps": steps, "wide_step_tokens": tokens,
                                     "widest_step": 40, "prompt_tokens": 9, "wide_prompt_tokens": 0 });
        }
    };
    let (outcome, sentence) = verdict_with(&counted(6, 224));
    assert_eq!(outcome, "inconclusive");
    for part in ["not tested: phi-moe-tiny, offload all", "75.0 % of the steps (87.5 %", "32 tokens", "--batch 31"] {
        assert!(sentence.contains(part), "no {part:?} in {sentence}");
    }
    let (outcome, sentence) = verdict_with(&counted(0, 0));
    assert_eq!(outcome, "supported", "{sentence}");
    // What an older moe-sweep wrote has no counts.
    let (outcome, sentence) = verdict_with(&|_| {});
    assert!(outcome == "inconclusive" && sentence.contains("it is not known where"), "{sentence}");
    let (outcome, sentence) = verdict_with(&|load| load["strategy"]["rows"] = 31.into());
    assert_eq!(outcome, "supported", "{sentence}");
}

#[cfg(feature = "vulkan")]
mod on_vulkan {
    use std::collections::BTreeMap;
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::process::Stdio;

    use moe_sweep::domain::{
        Eos, LoadKey, Numerics, Offload, OpOffload, PromptKey, ResolvedChain, Seed, Step, Temperature,
    };
    use moe_sweep::engine::{Group, Job, LoadMode, LoadSettings, Samplers, Sharing, Strategy, Ticket, Work};
    use moe_sweep::model::blake3_of;
    use moe_sweep::worker::protocol::{Reply, Request};

    use super::*;

    /// The width at which back ends take over, unless told otherwise.
    const MIN_BATCH: u32 = 32;

    /// Two arms, for each prompt as many texts as are decoded together at most. Each text is decoded
    /// once, so few widths occur: lavapipe compiles kernels anew for each.
    const WIDE: &str = r#"
schema = 1
name = "x"

[generate]
max_tokens = 2
context = 32

[grid]
model = ["phi-moe-tiny"]
chain = ["pure"]
offload = ["none", "all"]
temperature = [1.0]
seed = { from = 0, count = 32 }

[prompts]
inline = ["Once upon a time", "Dear Sir or Madam,", "The weather"]

[[hypothesis]]
id = "h"
claim = "It changes nothing."
equivalence = { base = { offload = "none" }, other = { offload = "all" } }
margin = 0.9
"#;

    /// The manifest and the only verdict of [`WIDE`] with this batch, and what the run said.
    fn wide(batch: u32, edits: &[(&str, &str)], minimum: Option<&str>) -> (Value, Value, String) {
        let bench = Bench::new(WIDE);
        edits.iter().for_each(|(from, to)| bench.edit(from, to));
        let batch = batch.to_string();
        let arguments = ["run", "x.toml", "--out", "run", "--lanes", "1", "--sharing", "prompt", "--batch", &batch];
        let mut command = bench.command(&arguments);
        command.env("MOE_SWEEP_MODELS", models()).env("GGML_VK_VISIBLE_DEVICES", "0");
        command.env_remove("GGML_OP_OFFLOAD_MIN_BATCH");
        command.envs(minimum.map(|minimum| ("GGML_OP_OFFLOAD_MIN_BATCH", minimum)));
        let said: Said = command.output().expect("moe-sweep starts").into();
        assert_eq!(said.code, Some(0), "{said:#?}");
        let verdict = parsed(&bench.result("run", "verdicts.json"))["verdicts"][0].clone();
        let unwrapped = said.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        (parsed(&bench.result("run", "manifest.json")), verdict, unwrapped)
    }

    fn load_of<'m>(manifest: &'m Value, offload: &str) -> &'m Value {
        let loads = manifest["runs"][0]["loads"].as_array().expect("loads");
        loads.iter().find(|load| load["offload"] == offload).expect("the offload was loaded")
    }

    #[test]
    fn placements_are_compared_below_the_threshold_and_not_at_it() {
        let (manifest, verdict, said) = wide(MIN_BATCH, &[], None);
        let load = load_of(&manifest, "all");
        assert_eq!(load["footprint"]["takeover"], json!({ "from": MIN_BATCH }));
        let widths = &load["widths"];
        assert_eq!(widths["widest_step"], MIN_BATCH);
        assert!(bytes(widths, "wide_steps") > 0 && bytes(widths, "wide_step_tokens") >= u64::from(MIN_BATCH));
        assert_eq!(widths["wide_prompt_tokens"], 0);
        assert_eq!(verdict["outcome"], "inconclusive");
        let sentence = verdict["sentence"].as_str().expect("a sentence");
        assert!(sentence.contains("the accelerator computed the experts in"), "{sentence}");
        assert!(said.contains("phi-moe-tiny, offload all: the accelerator computed the experts in"), "{said}");

        let (manifest, verdict, said) = wide(MIN_BATCH - 1, &[], None);
        let widths = &load_of(&manifest, "all")["widths"];
        assert_eq!([&widths["widest_step"], &widths["wide_steps"]], [&json!(MIN_BATCH - 1), &json!(0)]);
        assert!(bytes(widths, "steps") > 0);
        assert_eq!(verdict["outcome"], "supported", "{verdict:#}");
        assert!(!said.contains("the accelerator computed"), "{said}");
    }

    #[test]
    fn the_remedies_hold() {
        let off = [("offload = [\"none\", \"all\"]", "offload = [\"none\", \"all\"]\nop_offload = [false]")];
        let (manifest, verdict, _) = wide(MIN_BATCH, &off, None);
        let load = load_of(&manifest, "all");
        assert_eq!(load["footprint"]["takeover"], "never");
        assert_eq!([&load["widths"]["widest_step"], &load["widths"]["wide_steps"]], [&json!(MIN_BATCH), &json!(0)]);
        assert_eq!(verdict["outcome"], "supported", "{verdict:#}");

        let (manifest, verdict, _) = wide(MIN_BATCH, &[], Some("33"));
        assert_eq!(load_of(&manifest, "all")["footprint"]["takeover"], json!({ "from": 33 }));
        assert_eq!(verdict["outcome"], "supported", "{verdict:#}");
    }

    /// The hashes of all logits of so many texts, decoded together with all experts on the host.
    fn logits(batch: u32, op_offload: OpOffload) -> BTreeMap<Ticket, String> {
        let path = models().join("phi-moe-tiny.gguf");
        let temperature = Step::Temperature { t: Temperature::new(1.0).expect("a temperature") };
        let chain = ResolvedChain(vec![temperature, Step::Dist]);
        let jobs = (0..batch)
            .map(|n| Job { ticket: n, chain: chain.clone(), seed: Seed::new(n), eos: Eos::default() })
            .collect();
        let groups = vec![Group { prompt: "Once upon a time".to_owned(), key: PromptKey::default(), jobs }];
        let settings = LoadSettings {
            blake3: blake3_of(&path).expect("the model is there"),
            path,
            levels: LoadKey::usual("model").with(Offload::All).with(op_offload),
            numerics: Numerics::Invariant,
            context: 32,
            strategy: Strategy { lanes: 1, threads: 2, batch },
            samplers: Samplers::Fast,
            sharing: Sharing::None,
            load_mode: LoadMode::Auto,
        };
        let work = Work { max_tokens: 3, groups, hash_logits: true };
        let requests = [Request::Load(settings), Request::Generate(work)];
        let bench = Bench::new("");
        let mut command = bench.command(&["worker"]);
        command.env("GGML_VK_VISIBLE_DEVICES", "0").env_remove("GGML_OP_OFFLOAD_MIN_BATCH");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut worker = command.spawn().expect("a worker starts");
        let mut stdin = worker.stdin.take().expect("a pipe");
        for request in &requests {
            let line = serde_json::to_string(request).expect("a request is plain data");
            writeln!(stdin, "{line}").expect("the worker reads");
        }
        let replies = BufReader::new(worker.stdout.take().expect("a pipe")).lines();
        let replies = replies.map(|line| serde_json::from_str(&line.expect("UTF-8")).expect("a reply"));
        let hashes = replies.take_while(|reply| *reply != Reply::Idle).filter_map(|reply| match reply {
            Reply::Finished { ticket, generation, .. } => Some((ticket, generation.logits_blake3?)),
            _ => None,
        });
        let hashes: BTreeMap<_, _> = hashes.collect();
        // At which the worker ends.
        drop(stdin);
        let status = worker.wait().expect("the worker ends");
        assert_eq!(hashes.len(), batch as usize, "{status:?}");
        hashes
    }

    /// What the counts stand for: at the threshold other kernels compute the experts.
    #[test]
    fn op_offload_changes_the_logits_of_a_step_from_the_threshold_on() {
        let differ = |batch| {
            let (on, off) = (logits(batch, OpOffload::On), logits(batch, OpOffload::Off));
            on.iter().filter(|(ticket, hash)| off[ticket] != **hash).count()
        };
        assert_eq!(differ(MIN_BATCH - 1), 0);
        assert!(differ(MIN_BATCH) > 0);
    }

    #[test]
    fn the_first_driver_is_listed_whatever_it_is() {
        let listed = parsed(&run(&Bench::new(""), &["devices", "--json"], Some("0")).stdout);
        let devices = listed["devices"].as_array().expect("devices");
        let vulkan = devices.iter().find(|device| device["backend"] == "Vulkan").expect("GGML_VK_VISIBLE_DEVICES=0");
        assert!(vulkan["memory_total_bytes"].as_u64() > Some(0), "{vulkan:#}");
        assert!(listed["remedy"].is_null());
    }

    #[test]
    fn an_index_that_is_not_there_is_no_crash() {
        let said = run(&Bench::new(""), &["devices"], Some("99"));
        assert!(said.code == Some(96) || said.stdout.contains("GGML_VK_VISIBLE_DEVICES=99"), "{said:#?}");
        assert!((said.stdout + &said.stderr).contains("vulkaninfo --summary"));
    }

    #[test]
    fn the_experts_are_where_the_offload_wants_them_to_the_byte() {
        let bench = Bench::new(ARMS);
        let said = run(&bench, &["run", "x.toml", "--out", "run", "-v"], Some("0"));
        assert_eq!(said.code, Some(0), "{said:#?}");
        let by_header = expert_bytes_by_header(&bench);
        let manifest = parsed(&bench.result("run", "manifest.json"));
        let n_layer = manifest["models"][0]["facts"]["n_layer"].as_u64().expect("n_layer");
        let on_host = |offload: Value| {
            let places = places(&manifest, &offload);
            let on = |kind_is_cpu: bool| -> u64 {
                let here = places.iter().filter(|place| (place["kind"] == "cpu") == kind_is_cpu);
                here.map(|place| bytes(place, "expert_bytes")).sum()
            };
            assert_eq!(on(true) + on(false), by_header);
            on(true)
        };
        assert_eq!(on_host(Value::from("none")), 0);
        assert_eq!(on_host(json!({ "layers": 2 })), by_header / n_layer * 2);
        assert_eq!(on_host(Value::from("all")), by_header);
        assert!(said.stdout.contains("% of the weights on devices"), "{}", said.stdout);
        assert!(!said.stdout.contains("offload has no effect"), "{}", said.stdout);
    }

    #[test]
    fn a_model_without_experts_has_one_placement_and_the_note_says_so() {
        let bench = Bench::new(ARMS);
        bench.edit("phi-moe-tiny", "dense-tiny");
        bench.edit(r#"offload = ["none", 2, "all"]"#, r#"offload = ["none", "all"]"#);
        let said = run(&bench, &["run", "x.toml", "--out", "run"], Some("0"));
        let unwrapped = said.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(unwrapped.contains("dense-tiny, offload all: the same placement, tensor by tensor"), "{unwrapped}");
        assert!(unwrapped.contains("no model of this experiment has experts, so offload has no effect"));
        assert!(unwrapped.contains("not tested: both arms are the same computation here"), "{unwrapped}");
    }

    /// What is read and not mapped is in the driver's pinned memory, which is the host's all the same.
    #[test]
    fn pinned_experts_are_on_the_host_and_compute_the_same() {
        let bench = Bench::new(ARMS);
        let read = |mode: &str| {
            let said = run(&bench, &["run", "x.toml", "--out", mode, "--batch", "1", "--load-mode", mode], Some("0"));
            assert_eq!(said.code, Some(0), "{said:#?}");
            let manifest = parsed(&bench.result(mode, "manifest.json"));
            let weights = |offload: Value| -> Vec<_> {
                let places = places(&manifest, &offload);
                places
                    .iter()
                    .map(|place| ["expert_bytes", "other_weight_bytes"].map(|what| bytes(place, what)))
                    .collect()
            };
            let weights = [Value::from("none"), json!({ "layers": 2 }), Value::from("all")].map(weights);
            (weights, bench.result(mode, "trials.csv"))
        };
        assert_eq!(read("none"), read("mmap"));
    }

    /// Computing with the host's experts on the device takes buffers there.
    #[test]
    fn op_offload_reaches_llama_cpp() {
        let bench = Bench::new(ARMS);
        let levels = r#"offload = ["all"]
op_offload = [true, false]"#;
        bench.edit(r#"offload = ["none", 2, "all"]"#, levels);
        let text = bench.read("x.toml");
        bench.write("x.toml", text.split("[[hypothesis]]").next().expect("a grid"));
        let said = run(&bench, &["run", "x.toml", "--out", "run"], Some("0"));
        assert_eq!(said.code, Some(0), "{said:#?}");
        let manifest = parsed(&bench.result("run", "manifest.json"));
        let loads = manifest["runs"][0]["loads"].as_array().expect("loads");
        let device_buffers = |op_offload: Option<bool>| -> u64 {
            let with = |load: &&Value| load["op_offload"].as_bool() == op_offload;
            let load = loads.iter().find(with).unwrap_or_else(|| panic!("{loads:#?}"));
            let places = load["footprint"]["places"].as_array().expect("places");
            let devices = places.iter().filter(|place| place["kind"] != "cpu");
            devices.map(|place| bytes(place, "compute_bytes")).sum()
        };
        // The default is not written.
        assert!(device_buffers(None) > device_buffers(Some(false)));
    }
}
