//! Pages of what stands before the text: template, messages, the first token and the last.

use crate::causes::page::{Page, Thread};

pub const NO_TEMPLATE: Page = Page {
    what: "A chat model was trained on messages between special tokens. Without them it continues your prompt as a \
           document, and may find no place to end.",
    shows: "The prompt comes back word by word, the model answers its own questions, or never ends.",
    test: "Factor `template`: \"raw\" beside \"jinja\", the model's own template.",
    mend: "Ask the endpoint for chats, /v1/chat/completions or /api/chat, or put the prompt into the template \
           yourself.",
    threads: &[Thread {
        url: "https://github.com/Blaizzy/mlx-vlm/issues/1254",
        says: "Gemma repeats the prompt without its template, and answers with it",
    }],
};

pub const TEMPLATE_USED: Page = Page {
    what: "A base model was not trained on chats. Their special tokens tell it nothing, and no token tells it that \
           an answer has ended.",
    shows: "A first answer, then more questions and answers, again and again, until the text is full.",
    test: "Factor `template`: \"chat\" or \"jinja\" beside \"raw\".",
    mend: "Take the model's chat version. Or give the base model the beginning of a text, and a limit of tokens.",
    threads: &[
        Thread {
            url: "https://github.com/QwenLM/Qwen3/issues/217",
            says: "the base model does not stop, its chat version does",
        },
        Thread {
            url: "https://github.com/zai-org/ChatGLM3/issues/157",
            says: "the base model repeats its answer without end",
        },
    ],
};

pub const TEMPLATE_FORM: Page = Page {
    what: "llama.cpp has chat forms built in, and takes the one that a file's template looks like. A form has no \
           default system prompt and no marks of thinking. A file without a template gets ChatML, whatever the \
           model is.",
    shows: "Answers run on, special tokens are printed as text, or only one of two programs loops with the same \
           file.",
    test: "Factor `template`: \"chat\", the built-in form, beside \"jinja\", the model's own template.",
    mend: "Start llama-server with --jinja. If the file has no template, give it the model's with \
           --chat-template-file.",
    threads: &[
        Thread {
            url: "https://github.com/ggml-org/llama.cpp/issues/19585",
            says: "no template in the file: ChatML for Llama 2",
        },
        Thread {
            url: "https://github.com/ikawrakow/ik_llama.cpp/issues/693",
            says: "the template fails, and ChatML is taken instead",
        },
    ],
};

pub const SYSTEM: Page = Page {
    what: "Many templates write a system prompt of their own if none is given. Some programs send an empty one, \
           others none, and a model can be sensitive to it.",
    shows: "Loops come and go with the words of the system prompt.",
    test: "Factor `system`: \"default\", \"none\" and your text, with template = \"jinja\".",
    mend: "Send the system prompt of the model card, and none where the card says so.",
    threads: &[Thread {
        url: "https://github.com/ml-explore/mlx-examples/issues/1059",
        says: "loops with the template's own system prompt, and not with another",
    }],
};

pub const THINKING: Page = Page {
    what: "A thinking model writes a thought, often a long one, before it answers. Penalties, greedy decoding and \
           a short context act on the thought too, and it may never come to an end.",
    shows: "The thought goes in circles and fills the text, and there is no answer. Or the answer loops after a \
           long thought.",
    test: "Factor `thinking`: \"on\" beside \"off\", with template = \"jinja\" and many max_tokens. parts.csv \
           scores thought and answer apart.",
    mend: "Set the model card's values for thinking, and no repeat penalty. Limit the thought with \
           --reasoning-budget, or switch it off.",
    threads: &[
        Thread {
            url: "https://github.com/anthropics/claude-code/issues/90268",
            says: "45 sessions: effort and thinking loop together, neither alone",
        },
        Thread {
            url: "https://github.com/yanun0323/Whallm/issues/6",
            says: "long texts loop with thinking, and not without",
        },
    ],
};

pub const BOS_MISSING: Page = Page {
    what: "Many models were trained with a beginning-of-sequence token before each text. Without it some, such as \
           Gemma, fall apart from the first token on.",
    shows: "One word again and again from the start, whatever the sampler: \"is is is\".",
    test: "Factor `bos`: \"model\" beside \"always\" and \"never\".",
    mend: "Let the tokenizer add it: leave out add_bos_token=bool:false (llama-server), and \
           add_special_tokens=False where no template writes the token (transformers).",
    threads: &[
        Thread {
            url: "https://github.com/vllm-project/vllm/issues/39842",
            says: "Gemma 4 without it writes \"is is is\"",
        },
        Thread { url: "https://github.com/pytorch/executorch/pull/17518", says: "Gemma 3 repeats more without it" },
    ],
};

pub const BOS_DOUBLED: Page = Page {
    what: "If the template writes the beginning-of-sequence token and the tokenizer adds it as well, there are \
           two. The model sees a beginning that it was not trained on.",
    shows: "Texts part from those of another program, and some loop. llama.cpp warns of two tokens in its log.",
    test: "Factor `bos`: \"never\" beside \"model\", with the template that writes the token.",
    mend: "Let one of the two write it: tokenizer.ggml.add_bos_token=bool:false, or add_special_tokens=False.",
    threads: &[
        Thread {
            url: "https://github.com/ml-explore/mlx-examples/issues/1188",
            says: "two tokens; suspected in a report of loops, mlx-examples#1059",
        },
        Thread {
            url: "https://github.com/InfiniTensor/InfiniLM/pull/389",
            says: "two tokens: greedy texts part from those of transformers",
        },
    ],
};

pub const EOS: Page = Page {
    what: "A text ends at the tokens that the model's file names. If the model ends its answers with another one, \
           as Llama 3 did with <|eot_id|>, the end passes unseen and it writes on.",
    shows: "A good answer, then \"assistant\" and another answer, again and again. Every text is full.",
    test: "Factor `eos`: \"model\" beside the id of the token that ends the model's turns.",
    mend: "Name the right token: --override-kv tokenizer.ggml.eos_token_id=int:ID, or a stop string. A newer file \
           may be right.",
    threads: &[
        Thread {
            url: "https://github.com/vllm-project/vllm/issues/4180",
            says: "Llama 3 goes on after <|eot_id|>; stop_token_ids ends it",
        },
        Thread {
            url: "https://github.com/oobabooga/textgen/issues/5885",
            says: "the same model, mended in tokenizer_config.json",
        },
    ],
};

pub const LENGTH: Page = Page {
    what: "Some faults need a long prompt: more tokens than a physical batch (512), than a sliding window, or than \
           the context in training. A test with short prompts never meets them.",
    shows: "Clean with a line, loops with a page.",
    test: "Factor `prefix_tokens`, filler before the prompt: 0, 600 and 2000. Then `ubatch`, `flash_attention`, \
           `swa_full` or `context` beside it.",
    mend: "The length points to another cause. Look at L-UBATCH, L-FLASH-ATTENTION, L-SLIDING-WINDOW and L-CONTEXT.",
    threads: &[Thread {
        url: "https://github.com/ggml-org/llama.cpp/issues/26509",
        says: "wrong for prompts of more than one ubatch, with flash attention",
    }],
};
