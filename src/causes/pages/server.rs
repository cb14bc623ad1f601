//! Pages of what a server does with a request.

use crate::causes::page::{Page, Thread};

pub const GRAMMAR: Page = Page {
    what: "A grammar allows only tokens that fit it. If it allows white space without limit, a model that would \
           write something else has only blanks left.",
    shows: "JSON that ends in endless blanks or line breaks, or has the same field again and again.",
    test: "Levels of `chain` with and without a grammar step.",
    mend: "Say in the prompt that the answer is JSON, limit white space in the grammar, and limit the number of \
           tokens.",
    threads: &[
        Thread {
            url: "https://github.com/ollama/ollama/issues/2577",
            says: "blanks without end after the closing brace",
        },
        Thread {
            url: "https://github.com/Avarok-Cybersecurity/atlas/issues/143",
            says: "5 of 8 loop, and 0 of 8 with white space limited to 8",
        },
    ],
};

pub const DEFAULTS: Page = Page {
    what: "A server fills in what a request leaves out, and not always with the model's values: some read nothing \
           of generation_config.json, some decode greedily, some add a penalty.",
    shows: "Loops where nothing is set, and none with the values of the model card.",
    test: "Levels of `chain` for a model of a [[server]]: \"server-defaults\", which sends nothing, beside the \
           card's values.",
    mend: "Send every sampling value in each request, or set the card's values where the server starts.",
    threads: &[Thread {
        url: "https://github.com/Blaizzy/mlx-vlm/issues/1331",
        says: "models that state their values were decoded greedily",
    }],
};

pub const IGNORES: Page = Page {
    what: "A server may take a parameter and drop it: a penalty, the size of the context, a seed. The request \
           looks right, and nothing changes.",
    shows: "With the same seed, two very different values give the same text.",
    test: "moe-sweep tries a server before a run and says what it does not honour (docs/servers.md). For other \
           parameters compare a `model` of a [[server]] with the same file here.",
    mend: "Set the value where the server reads it, on its command line or in its Modelfile, or update the server.",
    threads: &[
        Thread {
            url: "https://github.com/ollama/ollama/issues/15783",
            says: "repeat, presence and frequency penalty are dropped",
        },
        Thread {
            url: "https://github.com/NousResearch/hermes-agent/issues/43900",
            says: "Ollama ignores num_ctx in its OpenAI-style API",
        },
        Thread { url: "https://github.com/sgl-project/sglang/issues/28179", says: "repetition_penalty is dropped" },
    ],
};
