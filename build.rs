//! Compiles the one C++ file, which reaches what llama.cpp has no C interface for.

fn main() {
    let shim = "src/engine/llama/footprint/shim.cpp";
    println!("cargo:rerun-if-changed={shim}");
    cc::Build::new().cpp(true).std("c++17").file(shim).compile("moe_sweep_shim");
}
