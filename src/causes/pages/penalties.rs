//! Pages of what lowers tokens that were already written.

use crate::causes::page::{Page, Thread};

pub const ZERO: Page = Page {
    what: "llama.cpp divides the positive logit of a token that was seen lately by the repeat penalty. Divided by \
           0 it is infinite, so that a token which was already written wins.",
    shows: "The words of the text or of the prompt come again and again. If top-p and top-k run before the \
           penalty, only at higher temperatures, where they leave more than one token.",
    test: "Levels of `chain`: \"shimmy-1.7\" has the penalty of 0, \"shimmy-1.7-fixed\" the one that was meant. In \
           a chain of your own, repeat = 0.0 needs faithful = true.",
    mend: "Set the repeat penalty to 1.0, which is off. If you never set it to 0, look at the order of arguments \
           in the program: in Shimmy the value went into the slot of the presence penalty.",
    threads: &[],
};

pub const REWARD: Page = Page {
    what: "A logit above zero is divided by the repeat penalty, one below is multiplied (llama.cpp, \
           llama_sampler_penalties_apply). Below 1 that makes tokens that were already written more probable, so that they \
           come again. The same holds for a presence or frequency penalty below 0.",
    shows: "Loops at every temperature, soon after the beginning; 1.0 is clean.",
    test: "Factor `chain`: the same steps with `repeat` at 1.0.",
    mend: "A repeat penalty of 1.0, which is none; 1.05 to 1.1 if one is wanted.",
    threads: &[],
};

pub const STRONG: Page = Page {
    what: "A strong repeat penalty pushes down the common tokens that every sentence needs. The model goes on with \
           what is left, and a thought may never come to its end.",
    shows: "Texts begin well, then lose articles and line breaks, take odd words, or think in circles.",
    test: "Levels of `chain` with a penalties step of repeat 1.0, 1.1 and 1.3, and nothing else different.",
    mend: "Set the repeat penalty to 1.0. If texts loop then, try DRY or a small presence penalty, one at a time.",
    threads: &[
        Thread {
            url: "https://github.com/warpfront/hipfire/issues/228",
            says: "from 1.3 to 1.0 ended a loop inside <think>",
        },
        Thread {
            url: "https://github.com/software-mansion/react-native-executorch/issues/1483",
            says: "applied once for each occurrence: 1.1 became 117 after 50",
        },
    ],
};

pub const MISSING: Page = Page {
    what: "Without a penalty nothing speaks against what was just written, and a phrase that has come three times \
           is likely to come a fourth time. llama.cpp's penalties and its DRY are off by default.",
    shows: "A text ends in exact copies of a phrase or a paragraph, until it is full.",
    test: "Levels of `chain` without and with a penalties step of repeat 1.1, or a dry step, and nothing else \
           different.",
    mend: "Try a higher temperature first. Then a repeat penalty of 1.05 to 1.1 over a window that is longer than \
           the loop, or DRY with a multiplier of 0.8.",
    threads: &[Thread {
        url: "https://github.com/ml-explore/mlx-lm/issues/1669",
        says: "no repeat penalty by default, and a model loops without a warning",
    }],
};

pub const PRESENCE: Page = Page {
    what: "The presence penalty lowers each token that stands in the window by the same amount, however often it \
           stands there. Some model cards ask for 1.5 without thinking and for 0 with it.",
    shows: "Too low: loops go on. Too high: needed words are missing, and lists and code break.",
    test: "Levels of `chain` with a penalties step of presence 0.0 and 1.5, and nothing else different.",
    mend: "Set the value of the model card for the mode that you use, thinking or not.",
    threads: &[
        Thread {
            url: "https://github.com/ollama/ollama/issues/17197",
            says: "1.5 is set for thinking mode, where the card says 0",
        },
        Thread {
            url: "https://github.com/yanun0323/Whallm/issues/6",
            says: "1.5 ends loops of the thought, not those of the answer",
        },
    ],
};

pub const FREQUENCY: Page = Page {
    what: "The frequency penalty lowers a token once for each time that it stands in the window. It weighs on a \
           loop more with every turn, and on common words too.",
    shows: "Too low: loops go on. Too high: long texts lose their articles and commas.",
    test: "Levels of `chain` with a penalties step of frequency 0.0 and 0.3, and nothing else different.",
    mend: "Try 0.1 to 0.3. Keep it at 0 for code and tables, which repeat by nature.",
    threads: &[Thread {
        url: "https://github.com/mattn/tensai/pull/244",
        says: "0.3 ended a loop, where a repeat penalty of 1.1 changed the language",
    }],
};

pub const WINDOW: Page = Page {
    what: "Penalties look back `last_n` tokens, 64 by default. When a loop with a longer period comes round, its \
           last turn has left the window, and nothing lowers it.",
    shows: "Whole sentences or paragraphs come again. The value of the penalty changes nothing.",
    test: "Levels of `chain` with a penalties step of last_n 64, 256 and 1024. Compare `tail_period` in \
           trials.csv, the tokens in one turn of a loop, with last_n.",
    mend: "Make the window longer than the loop, such as 512. For Ollama -1 is the whole context.",
    threads: &[
        Thread {
            url: "https://github.com/jundot/omlx/issues/3011",
            says: "a window of 20 and a loop of 50: no value of the penalty helps",
        },
        Thread {
            url: "https://github.com/lmstudio-ai/lmstudio-bug-tracker/issues/745",
            says: "the window is 64 tokens and can't be set",
        },
    ],
};

pub const DRY: Page = Page {
    what: "DRY lowers the token that would continue a sequence which already stands in its window, more for longer \
           ones. It is off by default. A window below 0 switches it off in llama.cpp, where older guides say \
           \"whole context\".",
    shows: "Off: phrases and paragraphs loop that a repeat penalty does not see. On: names, code and tables that \
           must come again are changed.",
    test: "Levels of `chain` with a dry step of multiplier 0.0 and 0.8, and nothing else different.",
    mend: "Set the multiplier to 0.8 and the window longer than the loop, or the multiplier to 0 if DRY does the \
           harm.",
    threads: &[
        Thread {
            url: "https://github.com/ggml-org/llama.cpp/issues/15066",
            says: "no effect with a window of 32 tokens",
        },
        Thread {
            url: "https://github.com/vllm-project/vllm/pull/50584",
            says: "what llama.cpp makes of a window below 0",
        },
    ],
};
