//! Is `moe-sweep model verify`, which compares what is on disk with its SHA-256.

use super::super::{Failure, print_json, tell};
use super::known_models;
use crate::cli::ModelVerifyArgs;
use crate::exit_code::ExitCode;
use crate::experiment::{Model, Source};
use crate::model::{Caches, Finding, Location, NotHere, all_right, named, verify as verify_file};
use crate::report::models::{VerifiedFile, VerifiedFiles, line};

pub fn verify(args: &ModelVerifyArgs) -> Result<ExitCode, Failure> {
    let known = known_models(&args.known)?;
    let models = if args.all { known } else { named(&args.ids, &known)? };
    let caches = Caches::from_env();
    let (mut wrong, mut files): (Vec<&Model>, Vec<VerifiedFile<'_>>) = (Vec::new(), Vec::new());
    for model in &models {
        let location = Location::of(model, &caches);
        if location.paths().is_empty() && !args.all {
            return Err(NotHere::new(model, remedy(model)).into());
        }
        for (index, path) in location.paths().iter().enumerate() {
            let stated = model.sha256.as_deref().filter(|_| index == 0);
            let verified = verify_file(model, path, stated)?;
            // One a file as it comes: to hash the next may take minutes.
            if !args.json {
                tell(&line(&model.id, path, &verified))?;
            }
            if let Finding::Wrong { .. } = verified.finding {
                wrong.push(model);
            }
            files.push(VerifiedFile::of(&model.id, path, verified));
        }
    }
    if args.json {
        print_json(&VerifiedFiles::of(&files))?;
    }
    all_right(&wrong)?;
    Ok(ExitCode::Ok)
}

fn remedy(model: &Model) -> String {
    match &model.source {
        Source::Path(_) => "correct its path".to_owned(),
        Source::Server(_) => "a server's files can't be hashed from here".to_owned(),
        Source::Hub(_) | Source::Packages(_) => format!("fetch it: moe-sweep model fetch {}", model.id),
    }
}
