//! Pages of how a token is chosen.

use crate::causes::page::{Page, Thread};

pub const GREEDY: Page = Page {
    what: "At temperature 0, or with top-k 1, the most probable token is always taken. If a phrase makes itself \
           the most probable one, no draw leads out of it. Cards of thinking models advise against it.",
    shows: "Exact copies to the end of the text, the same ones with every seed.",
    test: "Levels of `chain`: \"greedy\" beside \"llama.cpp\", which draws.",
    mend: "Draw, at the temperature of the model card. If texts must be the same each time, set a seed.",
    threads: &[
        Thread {
            url: "https://github.com/ml-explore/mlx-lm/issues/139",
            says: "a thinking model loops at 0, and does not at 0.8",
        },
        Thread {
            url: "https://github.com/SynaLinks/synalinks/issues/74",
            says: "0 was forced: texts loop until the context is full",
        },
    ],
};

pub const LOW: Page = Page {
    what: "A low temperature makes the most probable token more probable still, which is nearly greedy decoding. \
           The literature finds most loops at low temperatures (arXiv 2512.12895).",
    shows: "Exact copies, in fewer texts the higher the temperature.",
    test: "Factor `temperature` from 0.1 to 1.1, under the chain that you use, with a trend as the hypothesis.",
    mend: "Set the temperature of the model card. If it must be low, try DRY or a repeat penalty against the loops.",
    threads: &[Thread {
        url: "https://github.com/ml-explore/mlx-examples/issues/1059",
        says: "loops at 0 and 0.1, and not at 0.2 or with another seed",
    }],
};

pub const HIGH: Page = Page {
    what: "A higher temperature alone makes texts repeat less. If they repeat more, something else in the chain \
           prefers what was already written, and needs several tokens to choose from.",
    shows: "Clean texts at 0.3 and loops at 0.9.",
    test: "Factors `temperature` and `chain` together, as in experiments/cause.toml: does what temperature does \
           hang on the chain?",
    mend: "Lower the temperature until the chain is repaired: see L-PENALTY-ZERO and L-CHAIN.",
    threads: &[],
};

pub const TRUNCATION: Page = Page {
    what: "Top-k, top-p and min-p cut improbable tokens off before one is drawn. If they leave a single one, the \
           draw is greedy decoding.",
    shows: "Loops at a moderate temperature, in fewer texts when the cut is loosened.",
    test: "Levels of `chain` with one cut changed, such as top_p 0.8 and 0.95, or min_p 0.05 and 0.0; \"pure\" \
           cuts nothing.",
    mend: "Loosen the cut that matters. llama.cpp's defaults are top-k 40, top-p 0.95 and min-p 0.05.",
    threads: &[Thread {
        url: "https://github.com/JustVugg/colibri/issues/307",
        says: "a cut tighter than the model's own makes loops hard to leave",
    }],
};

pub const CHAIN: Page = Page {
    what: "Samplers act one after the other. llama.cpp cuts first and applies the temperature last; vLLM applies \
           it first, so that a high one widens what top-p keeps. The same values in another order choose other \
           tokens.",
    shows: "The same model, prompt and values loop in one program and not in another.",
    test: "Levels of `chain`: \"llama.cpp\", \"vllm\", \"ollama-go\", and the order of your program as a [[chain]] \
           of your own.",
    mend: "Set samplers and order: --samplers for llama-server. Other servers have a fixed order: choose values \
           for it.",
    threads: &[],
};
