//! Pages of the weights.

use crate::causes::page::{Page, Thread};

pub const QUANT: Page = Page {
    what: "Quantised weights have fewer bits. Most models lose little down to 4 bits, and much under 3; a wrong \
           conversion can spoil any type.",
    shows: "The small file loops and the large one does not, with the same settings.",
    test: "Factor `quant`: \"source\" beside q8_0, q4_k_m and q2_k. Files that others made are levels of `model`.",
    mend: "Take the next larger type, or a file of the same type that was made with an importance matrix.",
    threads: &[
        Thread {
            url: "https://github.com/ggml-org/llama.cpp/issues/27752",
            says: "IQ1_M is dead and IQ3 well, on two back ends",
        },
        Thread {
            url: "https://github.com/ggml-org/llama.cpp/issues/5996",
            says: "a new IQ1_S is much worse than the one before",
        },
    ],
};

pub const MODEL: Page = Page {
    what: "Some models loop whatever is set: small ones, distilled ones, releases that were repaired later. If no \
           switch changes it, the model is what is left.",
    shows: "Loops with every chain, template and type of weights that was tried.",
    test: "Factor `model`: another revision, another size, or the same model from another maker.",
    mend: "Take a newer revision or a larger model. Or end loops when they begin: a limit of tokens, vLLM's \
           repetition_detection.",
    threads: &[Thread {
        url: "https://github.com/jwbron/egg/issues/3595",
        says: "the vendor repaired the FP8 repository only",
    }],
};
