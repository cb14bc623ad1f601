//! Pages of mixtures of experts.

use crate::causes::page::{Page, Thread};

pub const OFFLOAD: Page = Page {
    what: "Experts on the CPU are computed by other kernels than experts on the GPU, and rounded otherwise. People \
           report loops on either side, so no side is wrong by itself.",
    shows: "More loops, or fewer, the more layers of experts are moved.",
    test: "Factor `offload`: \"none\", \"all\" and numbers of layers, with op_offload = false, so that the host \
           computes what it holds. It needs a GPU: without one nothing is moved.",
    mend: "Move the experts to the side that is clean: --cpu-moe, --n-cpu-moe N, or neither. Report the layer that \
           turns it.",
    threads: &[
        Thread {
            url: "https://github.com/ggml-org/llama.cpp/issues/25582",
            says: "the more on CUDA the worse, and all on the CPU is clean",
        },
        Thread { url: "https://github.com/ikawrakow/ik_llama.cpp/issues/1256", says: "worse on the CPU" },
    ],
};

pub const OP_OFFLOAD: Page = Page {
    what: "For batches of 32 tokens and more a GPU computes with weights that are on the host: they are copied for \
           it. So a text's kernels change with the length of its prompt and the number of its neighbours.",
    shows: "Short prompts are clean. From the threshold on: one token for ever, or nonsense.",
    test: "Factor `op_offload`: true beside false, with offload = \"all\" and `ubatch` 31 and 32.",
    mend: "--no-op-offload. Prompts take longer then.",
    threads: &[
        Thread {
            url: "https://github.com/ggml-org/llama.cpp/issues/24855",
            says: "MoltenVK: positions are spoiled, one token for ever",
        },
        Thread { url: "https://github.com/ggml-org/llama.cpp/issues/24162", says: "well at ubatch 31, wrong at 32" },
    ],
};

pub const USED: Page = Page {
    what: "A mixture of experts sends each token through as many experts as in training. Another number is faster \
           or slower, and a model that nobody trained.",
    shows: "Texts get worse the further the number is from the file's.",
    test: "Factor `experts_used`: \"model\" beside the number that you set.",
    mend: "Leave the number to the file: take --override-kv of expert_used_count out.",
    threads: &[Thread {
        url: "https://github.com/ggml-org/llama.cpp/pull/18029",
        says: "half of the experts: much the same; a quarter: worse",
    }],
};
