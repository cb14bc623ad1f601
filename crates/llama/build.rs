//! Compiles what C++ must be asked in its own language: what llama.cpp has no C interface for, and what `new` does
//! when there is no memory.

fn main() {
    let sources = ["src/footprint/shim.cpp", "src/kernels/shim.cpp", "src/want.cpp"];
    for source in sources {
        println!("cargo:rerun-if-changed={source}");
    }
    cc::Build::new().cpp(true).std("c++17").files(sources).compile("moe_sweep_shim");
}
