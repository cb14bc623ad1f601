//! Owns the arguments of `init`.

use clap::Args;

use super::run::ServerOptions;

#[derive(Debug, Args)]
#[command(after_help = INIT_AFTER_HELP)]
#[command(mut_arg("served_as", |name| name.hide(true)))]
pub struct InitArgs {
    /// The experiment's name. The file is NAME.toml, in this folder.
    #[arg(default_value = "my-experiment")]
    pub name: String,
    /// The model: a GGUF file, or a name of the catalogue (moe-sweep model list); with --server, what the server calls it
    /// [default: one that is here, or else a small one to fetch].
    #[arg(long, value_name = "FILE|ID")]
    pub model: Option<String>,
    #[command(flatten)]
    pub server: ServerOptions,
}

const INIT_AFTER_HELP: &str = "\
The file can be run as it is. Beside each key it says whether the key is needed, and what its
default is. Nothing that is there is replaced.

Examples:
  moe-sweep init                                             an experiment on a model that is here
  moe-sweep init mine --model model.gguf                     on a model of your own
  moe-sweep init served --server http://127.0.0.1:8080       on what a server has loaded";
