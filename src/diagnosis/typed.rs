//! Reads a factor's level as a person types it.

use crate::domain::{Factor, Level, NotALevel, Written};

/// What was typed is no level.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum NoLevel {
    #[error("{typed:?} is not a setting")]
    #[diagnostic(help("write FACTOR=LEVEL, such as rope=linear:4"))]
    NoPair { typed: String },
    #[error("unknown factor {name:?}")]
    #[diagnostic(help("use one of: {}", Factor::NAMES.join(", ")))]
    NoFactor { name: String },
    #[error("{typed:?} is not a level of {factor}: {why}")]
    #[diagnostic(help("{help}"))]
    Other { factor: Factor, typed: String, why: String, help: String },
}

/// The level of `FACTOR=LEVEL`.
///
/// # Errors
/// When there is no such factor, or level of it.
pub fn typed_pair(typed: &str) -> Result<Level, NoLevel> {
    let (factor, level) = typed_factor(typed)?;
    typed_level(factor, level)
}

/// The levels of `FACTOR=LEVEL,LEVEL`.
///
/// # Errors
/// When there is no such factor, or level of it.
pub fn typed_levels(typed: &str) -> Result<(Factor, Vec<Level>), NoLevel> {
    let (factor, levels) = typed_factor(typed)?;
    let levels = levels.split(',').map(|level| typed_level(factor, level.trim()));
    Ok((factor, levels.collect::<Result<_, _>>()?))
}

/// The factor, and what is typed behind its `=`.
fn typed_factor(typed: &str) -> Result<(Factor, &str), NoLevel> {
    let (name, levels) = typed.split_once('=').ok_or_else(|| NoLevel::NoPair { typed: typed.to_owned() })?;
    let factor = name.trim().parse().map_err(|()| NoLevel::NoFactor { name: name.trim().to_owned() })?;
    Ok((factor, levels.trim()))
}

/// The level of a factor.
///
/// # Errors
/// When it is none.
pub fn typed_level(factor: Factor, typed: &str) -> Result<Level, NoLevel> {
    factor.read(&written(typed)).map_err(|wrong| {
        let (why, help) = match wrong {
            NotALevel::Unknown { names } => ("unknown".to_owned(), format!("use one of: {}", names.join(", "))),
            NotALevel::Other { message, help } => (message, help),
        };
        NoLevel::Other { factor, typed: typed.to_owned(), why, help }
    })
}

/// As an experiment file would have it.
fn written(typed: &str) -> Written {
    match (typed.parse(), typed.parse(), typed.parse()) {
        (Ok(n), ..) => Written::Integer(n),
        (_, Ok(x), _) => Written::Number(x),
        (.., Ok(on)) => Written::Switch(on),
        _ => Written::Name(typed.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CacheType, KvK, SwaFull, Temperature};

    #[test]
    fn levels_are_read_as_files_write_them() {
        assert_eq!(typed_pair("kv_k=q8_0").unwrap(), KvK(CacheType::Q8_0).into());
        assert_eq!(typed_pair("temperature = 0.5").unwrap(), Temperature::new(0.5).unwrap().into());
        assert_eq!(typed_pair("swa_full=false").unwrap(), SwaFull::Window.into());
        let levels = [0.5, 1.0].map(|t| Temperature::new(t).unwrap().into());
        assert_eq!(typed_levels("temperature=0.5,1").unwrap(), (Factor::Temperature, levels.to_vec()));
    }

    #[test]
    fn what_is_none_is_refused_with_what_there_is() {
        assert!(matches!(typed_pair("kv_k"), Err(NoLevel::NoPair { .. })));
        assert!(matches!(typed_pair("kw_k=f16"), Err(NoLevel::NoFactor { .. })));
        let wrong = typed_pair("kv_k=q9").unwrap_err();
        assert!(matches!(&wrong, NoLevel::Other { help, .. } if help.contains("q8_0")), "{wrong:?}");
    }
}
