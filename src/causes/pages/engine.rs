//! Pages of what an engine computes texts with: context, positions, cache, kernels, batches.

use crate::causes::page::{Page, Thread};

pub const CONTEXT: Page = Page {
    what: "The context holds prompt and text. A server may share it among its slots, cut the beginning of a long \
           prompt, or drop old tokens when it is full. A model was not taught to read beyond the context of its \
           training.",
    shows: "Loops begin at the same length in all texts, or in long chats only. The model forgets what it was asked.",
    test: "Factor `context`: your size beside a larger one, with texts that fill it, and `overflow`: \"stop\" \
           beside \"shift\".",
    mend: "Raise the context of each text. --ctx-size of llama-server is for all slots of --parallel together; \
           Ollama's is num_ctx.",
    threads: &[
        Thread {
            url: "https://github.com/ggml-org/llama.cpp/issues/3969",
            says: "2048 tokens over 10 slots are 204 for each",
        },
        Thread {
            url: "https://github.com/ollama/ollama/issues/10960",
            says: "deepseek-r1:7b thinks without end in the default context",
        },
    ],
};

pub const ROPE: Page = Page {
    what: "Positions are turned into angles by a base and a scaling, which the model's file states. With others \
           than it was trained with, the model mistakes where a token stands.",
    shows: "Loops or nonsense from the start, or from some length on, with every sampler.",
    test: "Factor `rope`: \"model\" beside what you set, such as \"linear:4\", \"yarn:4\" or \"base:10000\".",
    mend: "Leave base and scaling to the file. Scale only for a context beyond training, as the model card says.",
    threads: &[Thread {
        url: "https://github.com/LostRuins/koboldcpp/issues/487",
        says: "a CodeLlama repeats with the base 10,000; its own is 1,000,000",
    }],
};

pub const CACHE_TYPE: Page = Page {
    what: "The cache keeps keys and values of every token. A quantised one rounds them, and each further token is \
           computed from what was rounded.",
    shows: "Long texts loop and short ones do not. If a kernel is at fault: every second token doubled, or one \
           token for ever.",
    test: "Factors `kv_k` and `kv_v`: \"f16\" beside the types that you use, one at a time.",
    mend: "Set both to f16. If memory is short, quantise only the one that is shown to do no harm.",
    threads: &[
        Thread { url: "https://github.com/intel/llm-scaler/issues/721", says: "fp8: every second token doubled" },
        Thread {
            url: "https://github.com/vllm-project/vllm/issues/40831",
            says: "wrong only together with speculative decoding",
        },
    ],
};

pub const FLASH_ATTENTION: Page = Page {
    what: "Flash attention computes attention in one pass, with kernels of its own for each device and shape of \
           model. Some of them were wrong, and all round otherwise.",
    shows: "One token for ever, such as 8888, mostly on a GPU. The same model is clean on the CPU.",
    test: "Factor `flash_attention`: \"off\" beside \"on\", with short prompts and with long ones.",
    mend: "--flash-attn off, or a newer build. A quantised cache of values needs it on.",
    threads: &[
        Thread {
            url: "https://github.com/ggml-org/llama.cpp/issues/12441",
            says: "Command A writes 88888888 with -fa",
        },
        Thread {
            url: "https://github.com/ggml-org/llama.cpp/issues/26509",
            says: "long prompts: clean with -fa off, and on the CPU",
        },
    ],
};

pub const UBATCH: Page = Page {
    what: "A prompt is computed in pieces of at most `ubatch` tokens. Their size decides which kernels run and, \
           from 32 tokens on, whether a GPU computes with weights that are on the host.",
    shows: "Clean at one size and wrong at the next, such as 31 and 32.",
    test: "Factor `ubatch`: 512 beside 31 and 32, with `op_offload` true and false where experts are on the host.",
    mend: "Set a size that is clean with --ubatch-size, and report both sizes: a kernel is at fault.",
    threads: &[Thread {
        url: "https://github.com/ggml-org/llama.cpp/issues/24162",
        says: "well at 31, wrong at 32, where op offload begins",
    }],
};

pub const WIDTH: Page = Page {
    what: "Texts that are decoded together share a batch, and wider batches take other kernels. So a text can \
           depend on its neighbours, by rounding or by a fault.",
    shows: "A request is clean alone, and loops while others run.",
    test: "Factor `width` with numerics = \"fast\": 1 beside 8, 31 and 32. In numerics = \"invariant\" the CPU \
           writes the same text at any width. On a server it is the number of requests at a time.",
    mend: "Start the server with --parallel 1 until it is repaired, and report the width at which it begins.",
    threads: &[
        Thread { url: "https://github.com/vllm-project/vllm/issues/16744", says: "wrong in a batch of two" },
        Thread {
            url: "https://github.com/ikawrakow/ik_llama.cpp/issues/2186",
            says: "wrong with a sliding window and -np above 1",
        },
    ],
};

pub const SLIDING_WINDOW: Page = Page {
    what: "Some layers of Gemma, gpt-oss and others look back on a window only. llama-server keeps just that \
           window for them; moe-sweep keeps everything unless you say otherwise.",
    shows: "Loops begin when the text has grown longer than the window.",
    test: "Factor `swa_full`: true beside false, with prompts or texts that are longer than the window.",
    mend: "--swa-full, which takes memory.",
    threads: &[Thread {
        url: "https://github.com/llmmanorg/llmman/issues/183",
        says: "Gemma 4, a window of 512: longer texts loop",
    }],
};
