//! What a file leaves out has its default.

use super::*;

#[test]
fn what_generate_leaves_out_has_its_default() {
    let of = |prompt: &str, generate: &str| {
        let prompt = format!("\"{prompt}\", \"two\"");
        let generate =
            read(&edited(&[("[generate]\nmax_tokens = 20\ncontext = 64\n", generate), ("\"one\", \"two\"", &prompt)]))
                .generate;
        (generate.max_tokens, generate.context)
    };
    assert_eq!(of("one", ""), (128, 512));
    assert_eq!(of("one", "[generate]\nmax_tokens = 512\n"), (512, 1024));
    // 384 tokens of two bytes each have room, and one more has not.
    assert_eq!(of(&"ab".repeat(384), ""), (128, 512));
    assert_eq!(of(&"ab".repeat(385), ""), (128, 1024));
    // What is stated is kept.
    assert_eq!(of(&"ab".repeat(385), "[generate]\ncontext = 640\n"), (128, 640));
}

#[test]
fn what_is_left_out_has_its_default() {
    let grid =
        read(&edited(&[("offload = [\"none\", 1, \"all\"]\n", ""), ("seed = { from = 0, count = 3 }\n", "")])).grid;
    assert_eq!(grid.levels_of::<Offload>(), [Offload::All]);
    assert_eq!(grid.seeds, [Seed::new(0).unwrap()]);
}
