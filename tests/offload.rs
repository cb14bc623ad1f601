//! Where the experts are: by llama.cpp's own count, against what the file's header
//! says. On Vulkan with `make vulkan-test`.

mod support;

use serde_json::{Value, json};
use support::{Bench, Said, models};

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
inline = ["Once upon a time", "Dear Sir or Madam,"]

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
    let said = run(&bench, &["run", "x.toml", "--out", "run"], None);
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
    assert!(unwrapped.contains("compare nothing") && said.stdout.contains("INCONCLUSIVE"), "{}", said.stdout);

    let timings = bench.result("run", "timings.csv");
    assert!(timings.lines().any(|line| line.starts_with("alone,\"phi-moe-tiny, offload all\",")), "{timings}");
}

#[cfg(feature = "vulkan")]
mod on_vulkan {
    use super::*;

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
        let said = run(&bench, &["run", "x.toml", "--out", "run"], Some("0"));
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
        assert!(!said.stdout.contains("compare nothing"), "{}", said.stdout);
        assert!(!said.stdout.contains("the offload moves nothing"), "{}", said.stdout);
    }

    #[test]
    fn a_model_without_experts_has_one_placement_and_the_note_says_so() {
        let bench = Bench::new(ARMS);
        bench.edit("phi-moe-tiny", "dense-tiny");
        bench.edit(r#"offload = ["none", 2, "all"]"#, r#"offload = ["none", "all"]"#);
        let said = run(&bench, &["run", "x.toml", "--out", "run"], Some("0"));
        let unwrapped = said.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(unwrapped.contains("dense-tiny, offload all: the same placement, tensor by tensor"), "{unwrapped}");
        assert!(unwrapped.contains("the offload moves nothing: no model of this experiment has experts"));
        assert!(unwrapped.contains("not tested: both arms are the same computation here"), "{unwrapped}");
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
