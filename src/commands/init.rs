//! Is `moe-sweep init`, which writes an experiment file to begin with.

use std::path::Path;

use miette::miette;

use super::typed_model::{is_path, plain_name, served_name};
use super::variant::{VariantError, server};
use super::{Failure, tell};
use crate::cli::InitArgs;
use crate::engine::EngineKind;
use crate::engine::http::detect;
use crate::exit_code::ExitCode;
use crate::experiment::{Model, Server, Starter, StarterForm, StarterModel};
use crate::model::{Caches, Location, named, read_header};
use crate::prepare::load_models;
use crate::run_dir::write_new;

pub fn init(args: &InitArgs) -> Result<ExitCode, Failure> {
    let name = args.name.strip_suffix(".toml").unwrap_or(&args.name);
    if name.is_empty() || plain_name(name) != name {
        let help = "use letters, digits, '-', '_' and '.', and no '.' at the start";
        return Err(Failure::usage(miette!(help = help, "{name:?} can't be the name of an experiment")));
    }
    let Written { text, to_fetch } = match server(&args.server)? {
        Some(server) => of_server(name, server, args)?,
        None => of_file(name, args.model.as_deref())?,
    };
    let path = format!("{name}.toml");
    write_new(Path::new(&path), text.as_bytes())?;
    let fetch = to_fetch.map(|id| format!("next:    moe-sweep model fetch {id} --experiment {path}\n"));
    tell(&format!("written: {path}\n{}next:    moe-sweep plan {path}\n", fetch.unwrap_or_default()))
}

/// The text of the file, and the name of its model where that is not here.
struct Written {
    text: String,
    to_fetch: Option<String>,
}

/// An experiment on the model that was typed, or on one that is here.
fn of_file(name: &str, typed: Option<&str>) -> Result<Written, Failure> {
    let of = |model: StarterModel<'_>, file: Option<&Path>| {
        let to_fetch = file.is_none().then(|| model.id().to_owned());
        let form = match (&model, file) {
            (StarterModel::Fetched, _) => StarterForm::Jinja,
            (_, None) => StarterForm::Raw,
            (_, Some(file)) => form(file)?,
        };
        Ok(Written { text: Starter { name, model, form }.toml(), to_fetch })
    };
    let known = load_models(None)?;
    let place = |model: &Model| Location::of(model, &Caches::from_env()).paths().first().cloned();
    match typed {
        Some(path) if is_path(path) => {
            let id = plain_name(&Path::new(path).file_stem().unwrap_or_default().to_string_lossy());
            of(StarterModel::File { id: &id, path }, Some(Path::new(path)))
        }
        Some(id) => {
            let model = named(&[id.to_owned()], &known)?.remove(0);
            of(StarterModel::Known { id }, place(&model).as_deref())
        }
        None => match known.iter().find_map(|model| Some((model, place(model)?))) {
            Some((model, path)) => of(StarterModel::Known { id: &model.id }, Some(&path)),
            None => of(StarterModel::Fetched, None),
        },
    }
}

/// What a model's file wants to be asked with.
fn form(path: &Path) -> Result<StarterForm, Failure> {
    if EngineKind::of(path) == EngineKind::Scripted {
        return Ok(StarterForm::Raw);
    }
    let (_, anatomy) = read_header(path)?;
    Ok(if anatomy.tokenizer.chat_template.is_some() { StarterForm::Jinja } else { StarterForm::Raw })
}

/// An experiment on what a server has loaded; it is asked for what nobody says.
fn of_server(name: &str, mut server: Server, args: &InitArgs) -> Result<Written, Failure> {
    let typed = args.model.as_ref().or(args.server.served_as.as_ref());
    let served_as = match (args.server.api, typed) {
        (Some(_), Some(typed)) => typed.clone(),
        (known, typed) => {
            let detected = detect(&server, known).map_err(VariantError::from)?;
            (server.api, server.extensions) = (detected.api, detected.extensions.clone());
            typed.cloned().map_or_else(|| detected.only_model(&server.url), Ok).map_err(VariantError::from)?
        }
    };
    let id = served_name(&served_as);
    let model = StarterModel::Served { id: &id, served_as: &served_as, server: &server };
    Ok(Written { text: Starter { name, model, form: StarterForm::Raw }.toml(), to_fetch: None })
}
