//! Opens a page in the browser of whoever sits before this machine, or says why it can't. Must not know what the page shows.

use std::env;
use std::path::{Path, absolute};

use url::Url;

/// Why no browser is opened. All the same the page is there.
#[derive(Debug, thiserror::Error)]
pub enum NoBrowser {
    #[error("this is a remote shell")]
    Remote,
    #[error("there is no display")]
    NoDisplay,
    #[error("the browser can't be started: {0}")]
    Failed(#[from] opener::OpenError),
}

/// Opens the page with $BROWSER, where that is set, or else as the system does.
///
/// # Errors
/// When there is nobody to see it, or the browser can't be started.
pub fn open(page: &Path) -> Result<(), NoBrowser> {
    is_seen(|name| env::var_os(name).is_some_and(|value| !value.is_empty()))?;
    Ok(opener::open_browser(page)?)
}

/// The page's address, for a browser on this machine.
pub fn address(page: &Path) -> Option<String> {
    Url::from_file_path(absolute(page).ok()?).ok().map(String::from)
}

/// Whether somebody would see a browser, by the variables that are set.
fn is_seen(is_set: impl Fn(&str) -> bool) -> Result<(), NoBrowser> {
    let any = |names: &[&str]| names.iter().any(|name| is_set(name));
    if is_set("BROWSER") {
        return Ok(());
    }
    if any(&["SSH_CONNECTION", "SSH_TTY"]) {
        return Err(NoBrowser::Remote);
    }
    let has_displays = cfg!(all(unix, not(target_os = "macos")));
    if has_displays && !any(&["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"]) {
        return Err(NoBrowser::NoDisplay);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_opened_where_somebody_sees_it() {
        let with = |set: &[&str]| is_seen(|name| set.contains(&name));
        assert!(matches!(with(&["DISPLAY", "SSH_CONNECTION"]), Err(NoBrowser::Remote)));
        // Whoever sets it has one that comes to them.
        assert!(with(&["BROWSER", "SSH_CONNECTION"]).is_ok());
        assert!(with(&["WAYLAND_DISPLAY"]).is_ok());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn without_a_display_none_is_opened() {
        assert!(matches!(is_seen(|_| false), Err(NoBrowser::NoDisplay)));
    }
}
