//! Says where the hub and its cache are, as the environment has it: by the variables of the hub's own Python client, so
//! that both share one cache and one login.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::model::download::Access;
use crate::secret::Secret;

const ENDPOINT: &str = "https://huggingface.co";

/// Where to fetch from, and where to.
#[derive(Clone, Debug)]
pub struct HubSettings {
    /// Without a slash at its end. A user and a password may stand in it.
    pub endpoint: String,
    /// The directory of all repositories' caches.
    pub cache: PathBuf,
    pub token: Option<Secret>,
    pub access: Access,
}

impl HubSettings {
    /// What `variable` says, a lookup in the environment; an empty one is not set.
    ///
    /// - `HF_ENDPOINT`: the hub, or a mirror of it
    /// - `HF_HUB_CACHE`, else `$HF_HOME/hub`, else `~/.cache/huggingface/hub`
    /// - `HF_TOKEN`, else the file `HF_TOKEN_PATH`, else `$HF_HOME/token`
    /// - `HF_HUB_OFFLINE`: 1, true, yes or on
    ///
    /// The names and their order are those of huggingface_hub's `constants.py`.
    fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let get = |name: &str| variable(name).filter(|value| !value.is_empty());
        let path = |name: &str| get(name).map(PathBuf::from);
        let home = path("HF_HOME")
            .or_else(|| path("XDG_CACHE_HOME").map(|cache| cache.join("huggingface")))
            .unwrap_or_else(|| path("HOME").unwrap_or_default().join(".cache/huggingface"));
        let text = |name: &str| get(name).and_then(|value| value.into_string().ok());
        let endpoint = text("HF_ENDPOINT").unwrap_or_else(|| ENDPOINT.to_owned()).trim_end_matches('/').to_owned();
        let cache = path("HF_HUB_CACHE").or_else(|| path("HUGGINGFACE_HUB_CACHE")).unwrap_or_else(|| home.join("hub"));
        let token = text("HF_TOKEN").or_else(|| text("HUGGING_FACE_HUB_TOKEN")).or_else(|| {
            let file = path("HF_TOKEN_PATH").unwrap_or_else(|| home.join("token"));
            crate::regular_file::read_to_string(&file).ok()
        });
        let offline = text("HF_HUB_OFFLINE").is_some_and(|value| is_true(&value));
        Self {
            endpoint,
            cache,
            token: token.as_deref().and_then(Secret::new),
            access: if offline { Access::Offline } else { Access::Online },
        }
    }

    /// What the process's environment says.
    pub fn from_env() -> Self {
        Self::from_variables(|name| std::env::var_os(name))
    }
}

fn is_true(value: &str) -> bool {
    ["1", "on", "yes", "true"].contains(&value.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(variables: &[(&str, &str)]) -> HubSettings {
        let find = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
        HubSettings::from_variables(find)
    }

    #[test]
    fn the_cache_is_where_pythons_client_has_it() {
        let cache = |variables| from(variables).cache;
        assert_eq!(cache(&[("HOME", "/u")]), PathBuf::from("/u/.cache/huggingface/hub"));
        assert_eq!(cache(&[("HOME", "/u"), ("XDG_CACHE_HOME", "/x")]), PathBuf::from("/x/huggingface/hub"));
        let home = [("HOME", "/u"), ("XDG_CACHE_HOME", "/x"), ("HF_HOME", "/h")];
        assert_eq!(cache(&home), PathBuf::from("/h/hub"));
        let all = [&home[..], &[("HF_HUB_CACHE", "/c")]].concat();
        assert_eq!(cache(&all), PathBuf::from("/c"));
        assert_eq!(cache(&[("HF_HOME", "/h"), ("HF_HUB_CACHE", "")]), PathBuf::from("/h/hub"), "empty is not set");
    }

    #[test]
    fn the_token_comes_from_the_environment_or_a_file_and_is_never_shown() {
        let directory = tempfile::tempdir().expect("a directory");
        let home = directory.path().to_str().expect("UTF-8");
        assert!(from(&[("HF_HOME", home)]).token.is_none());
        std::fs::write(directory.path().join("token"), "hf_file\n").expect("writable");
        let header = |variables: &[(&str, &str)]| from(variables).token.map(|token| token.bearer());
        assert_eq!(header(&[("HF_HOME", home)]).as_deref(), Some("Bearer hf_file"));
        assert_eq!(header(&[("HF_HOME", home), ("HF_TOKEN", " hf_env ")]).as_deref(), Some("Bearer hf_env"));
        assert!(!format!("{:?}", from(&[("HF_TOKEN", "hf_env")])).contains("hf_env"));
    }

    #[test]
    fn the_endpoint_and_offline_are_read_as_the_hubs_client_reads_them() {
        assert_eq!(from(&[]).endpoint, "https://huggingface.co");
        assert_eq!(from(&[("HF_ENDPOINT", "http://mirror:1/")]).endpoint, "http://mirror:1");
        for (value, access) in
            [("1", Access::Offline), ("TRUE", Access::Offline), ("0", Access::Online), ("", Access::Online)]
        {
            assert_eq!(from(&[("HF_HUB_OFFLINE", value)]).access, access, "{value}");
        }
    }
}
