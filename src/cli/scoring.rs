//! Owns the arguments of `score`, and the columns that its help explains.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
#[command(after_help = SCORE_AFTER_HELP)]
pub struct ScoreArgs {
    /// Files to score. Each file is one text unless an option or its name says otherwise; `-` is stdin.
    #[arg(value_name = "FILE", default_value = "-")]
    pub inputs: Vec<PathBuf>,
    /// Score each line as one text.
    #[arg(long, conflicts_with_all = ["jsonl", "field"])]
    pub lines: bool,
    /// Read each line as a JSON object, as in a file named *.jsonl.
    ///
    /// It must have a text. It can have an `id`, and `tokens`: the list of the text's
    /// token ids, which the token metrics need.
    #[arg(long)]
    pub jsonl: bool,
    /// Where the text is in a JSON line: a key, or a path such as /choices/0/text [default: text].
    ///
    /// Implies --jsonl.
    #[arg(long, value_name = "NAME")]
    pub field: Option<String>,
    /// Score only the first K words and tokens.
    ///
    /// Most metrics grow with length, so compare texts of equal length. A shorter text
    /// has no value for these metrics.
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
    pub first: Option<u32>,
    /// Print one JSON object per line instead of CSV.
    #[arg(long)]
    pub json: bool,
}

const SCORE_AFTER_HELP: &str = "\
Examples:
  moe-sweep score answer.txt                     one text
  moe-sweep score --lines answers.txt            one text per line
  moe-sweep score --field output answers.jsonl   one text per JSON line, under \"output\"
  curl -s … | moe-sweep score --json             all of stdin is one text

Columns (docs/metrics.md has the definitions and their sources):
  repetition_score      share of the word trigrams that repeat an earlier one;
                        0 for fewer than three words
  seq_rep_N_words       the same for N-grams of words; of tokens: seq_rep_N_tokens
  tail_period           tokens in one turn of the cycle in which the text ends
  tail_copies           turns of that cycle, the last one perhaps partial
  tail_onset            index of the cycle's first token
  tail_share            share of the tokens that the cycle covers; 0 without one
  simctg_rep_N_percent  rep-N as SimCTG's script has it; simctg_diversity
  holtzman_repetition   1 or 0: Holtzman's flag; vllm_loop: vLLM's stop rule;
                        loop_30_20: a 30-gram that occurs 20 times
  rep_w_tokens          share of tokens among the 16 before them; rep_r_tokens:
                        in bigrams that occur more than once
  mattr_words, mtld_words, ead_words, zipf_words    variety of words
  compression_ratio     raw bytes divided by deflate's
  loop                  1 or 0: the text, its thought or its answer ends in three copies
                        or more of one unit; recovered: it was in a loop and got out
  repeats               1 or 0: either, or half of its characters occur in blocks of 20
                        that start earlier
  empty_answer          1 or 0: only white space, apart from the thought
  repeat_4_chars        share of 4-grams of characters that repeat an earlier one
  covered_20_chars      share of characters in a block of 20 that also occurs earlier
  recycled              share of the last 200 words' 8-grams that occur earlier
  tail_*_chars          the cycle at the end, of characters; _masked: digits made alike
  gemini_cli_loop, ollama_repeats    1 or 0: would these programs have ended the text
unseen_by names the metrics that can't judge a text: words (too few words, or a script
without spaces, which repetition_score can't see into), characters, or both.
A missing value is an empty field (null in JSON).";
