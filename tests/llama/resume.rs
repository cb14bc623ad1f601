//! A run in llama.cpp that is killed at random moments.

use crate::support::kills::{kill_and_resume, kills, time_undisturbed};
use crate::support::{Bench, models};

#[test]
fn sigkill_in_llama_cpp_changes_no_byte() {
    let bench = Bench::new(
        r#"
schema = 1
name = "x"

[generate]
max_tokens = 60
context = 256

[grid]
model = ["deepseek-tiny"]
chain = ["shimmy-1.7", "llama.cpp"]
temperature = [0.5, 0.9]
seed = { from = 0, count = 4 }

[prompts]
inline = ["The sun is", "Cooking begins with", "Once upon a time", "Dear Mary,"]
"#,
    );
    let manifest = models().join("deepseek-tiny.gguf");
    bench.edit("[prompts]", &format!("[[model]]\nid = \"deepseek-tiny\"\npath = {manifest:?}\n\n[prompts]"));
    let undisturbed = time_undisturbed(&bench);
    kill_and_resume(&bench, kills() / 2, undisturbed);
}
