//! Says which proxy stands between us and an address, as the environment has it.
//!
//! Owns the names of the variables and what `NO_PROXY` means. Must not know how bytes travel:
//! whoever sends a request asks here first.
//!
//! The rules are those of curl and Python: `http_proxy` is for http, `https_proxy` for https,
//! `all_proxy` for what has no other. This machine is always asked directly, for a proxy would
//! look for the server on its own machine.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv6Addr};

use crate::secret::Secret;

/// A proxy, and who says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// As the variable has it: a user and a password may stand in it.
    pub url: String,
    pub variable: &'static str,
    /// Whom it is asked for.
    host: String,
}

/// Why the proxy that the environment names can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the variable {variable} names the proxy {shown}, but only proxies that begin with http:// or https:// work: set \
     it to one, or connect to {host} directly with NO_PROXY={host}"
)]
pub struct Unusable {
    variable: &'static str,
    shown: String,
    host: String,
}

impl Proxy {
    /// The proxy for `url`, if the environment names one.
    ///
    /// # Errors
    /// When it names one that can't be used.
    pub fn from_env(url: &str) -> Result<Option<Self>, Unusable> {
        Self::for_url(url, |name| std::env::var_os(name))
    }

    /// The same of what `variable` says, a lookup in the environment; an empty one is not set.
    ///
    /// # Errors
    /// When it names a proxy that can't be used.
    fn for_url(url: &str, variable: impl Fn(&str) -> Option<OsString>) -> Result<Option<Self>, Unusable> {
        let get = |name: &str| {
            let value = variable(name)?.into_string().ok()?;
            Some(value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        let Some(target) = Target::of(url) else { return Ok(None) };
        let names: &[&'static str] = match target.scheme {
            "https" => &["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"],
            _ => &["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"],
        };
        let Some((variable, url)) = names.iter().find_map(|name| Some((*name, get(name)?))) else { return Ok(None) };
        let spared = get("no_proxy").or_else(|| get("NO_PROXY"));
        if target.is_this_machine() || spared.is_some_and(|list| target.is_spared(&list)) {
            return Ok(None);
        }
        let proxy = Self { url, variable, host: target.host.to_owned() };
        match proxy.url.split_once("://") {
            Some((scheme, _)) if !["http", "https"].contains(&scheme.to_ascii_lowercase().as_str()) => {
                Err(proxy.unusable())
            }
            _ => Ok(Some(proxy)),
        }
    }

    pub fn unusable(self) -> Unusable {
        Unusable { variable: self.variable, shown: self.shown(), host: self.host }
    }

    /// What to say beside an error of a request that went by way of it.
    pub fn by_way_of(&self) -> String {
        format!(
            "through the proxy {} from the variable {}; NO_PROXY={} bypasses it",
            self.shown(),
            self.variable,
            self.host
        )
    }

    /// The password in its address.
    pub fn password(&self) -> Option<Secret> {
        let (user, _) = self.url.rsplit_once('@')?;
        Secret::new(user.rsplit_once("://").map_or(user, |(_, user)| user).split_once(':')?.1)
    }

    /// Without a user and a password.
    fn shown(&self) -> String {
        let (scheme, rest) = self.url.split_once("://").unwrap_or(("http", &self.url));
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        format!("{scheme}://{}", authority.rsplit_once('@').map_or(authority, |(_, host)| host))
    }
}

/// Who is to be asked.
struct Target<'u> {
    scheme: &'u str,
    /// Without the brackets of an IPv6 address.
    host: &'u str,
    port: Option<&'u str>,
}

impl<'u> Target<'u> {
    fn of(url: &'u str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let authority = rest.split(['/', '?', '#']).next()?;
        let (host, port) = host_and_port(authority.rsplit_once('@').map_or(authority, |(_, host)| host));
        Some(Self { scheme, host, port })
    }

    fn address(&self) -> Option<IpAddr> {
        address(self.host)
    }

    /// Whether no other machine can be meant: its own names, and addresses that lead nowhere else
    /// than to it or along its own cable.
    fn is_this_machine(&self) -> bool {
        match self.address() {
            Some(IpAddr::V4(v4)) => v4.is_loopback() || v4.is_unspecified() || v4.is_link_local(),
            Some(IpAddr::V6(v6)) => v6.is_loopback() || v6.is_unspecified() || v6.is_unicast_link_local(),
            None => {
                let host = self.host.trim_end_matches('.').to_ascii_lowercase();
                host == "localhost" || host.ends_with(".localhost")
            }
        }
    }

    /// Whether `NO_PROXY` leaves it out: `*`, a name with all names below it, an address, a block
    /// of addresses such as 10.0.0.0/8, each with or without a port.
    fn is_spared(&self, list: &str) -> bool {
        list.split([',', ' ']).map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| {
            if entry == "*" {
                return true;
            }
            if let Some((network, bits)) = entry.split_once('/') {
                let block = address(network.trim_matches(['[', ']'])).zip(bits.parse().ok());
                return self.address().zip(block).is_some_and(|(host, (network, bits))| lies_in(host, network, bits));
            }
            let (name, port) = host_and_port(entry);
            if port.is_some() && port != self.port {
                return false;
            }
            if let Some(named) = address(name) {
                return self.address() == Some(named);
            }
            let name = name.trim_start_matches("*.").trim_matches('.').to_ascii_lowercase();
            let host = self.host.trim_end_matches('.').to_ascii_lowercase();
            host.strip_suffix(&name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
    }
}

/// An IPv4 address that is written as an IPv6 one is that IPv4 address.
fn address(host: &str) -> Option<IpAddr> {
    host.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// `host:port`, `[v6]:port`, or a bare IPv6 address, which has colons and no port.
fn host_and_port(text: &str) -> (&str, Option<&str>) {
    if let Some((host, rest)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (host, rest.strip_prefix(':'));
    }
    match text.split_once(':') {
        Some((host, port)) if text.parse::<Ipv6Addr>().is_err() => (host, Some(port)),
        _ => (text, None),
    }
}

/// Whether the first `bits` of both are the same.
fn lies_in(host: IpAddr, network: IpAddr, bits: u32) -> bool {
    fn same<const N: usize>(host: [u8; N], network: [u8; N], bits: u32) -> bool {
        let bit = |bytes: [u8; N], at: u32| bytes[(at / 8) as usize] >> (7 - at % 8) & 1;
        bits <= 8 * N as u32 && (0..bits).all(|at| bit(host, at) == bit(network, at))
    }
    match (host, network) {
        (IpAddr::V4(host), IpAddr::V4(network)) => same(host.octets(), network.octets(), bits),
        (IpAddr::V6(host), IpAddr::V6(network)) => same(host.octets(), network.octets(), bits),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(url: &str, variables: &[(&str, &str)]) -> Result<Option<Proxy>, Unusable> {
        let find = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
        Proxy::for_url(url, find)
    }

    /// The variable that decides, if one does.
    fn variable(url: &str, variables: &[(&str, &str)]) -> Option<&'static str> {
        proxy(url, variables).unwrap().map(|proxy| proxy.variable)
    }

    #[test]
    fn each_variable_is_for_its_own_scheme() {
        let (http, https) = ("http://far:8080/v1", "https://far");
        assert_eq!(variable(http, &[("HTTPS_PROXY", "p:1")]), None);
        assert_eq!(variable(https, &[("http_proxy", "p:1")]), None);
        assert_eq!(variable(http, &[("HTTP_PROXY", "p:1"), ("ALL_PROXY", "q:1")]), Some("HTTP_PROXY"));
        assert_eq!(variable(https, &[("https_proxy", "p:1"), ("HTTPS_PROXY", "q:1")]), Some("https_proxy"));
        assert_eq!(variable(https, &[("HTTP_PROXY", "p:1"), ("all_proxy", "q:1")]), Some("all_proxy"));
        assert_eq!(variable(http, &[("http_proxy", ""), ("ALL_PROXY", " ")]), None);
        assert_eq!(variable(http, &[]), None);
    }

    #[test]
    fn this_machine_is_asked_directly() {
        let all = [("http_proxy", "p:1"), ("https_proxy", "p:1"), ("ALL_PROXY", "p:1")];
        for host in ["127.0.0.1", "127.8.8.8:1", "localhost:80", "LOCALHOST.", "a.localhost", "[::1]:8080", "0.0.0.0"] {
            assert_eq!(variable(&format!("http://{host}/x"), &all), None, "{host}");
        }
        for host in ["[::ffff:127.0.0.1]", "169.254.1.1", "[fe80::1]:80", "[::]"] {
            assert_eq!(variable(&format!("https://{host}"), &all), None, "{host}");
        }
        for host in ["10.0.0.1", "notlocalhost", "localhost.org", "[2001:db8::1]:80", "128.0.0.1"] {
            assert!(variable(&format!("http://{host}"), &all).is_some(), "{host}");
        }
    }

    #[test]
    fn no_proxy_knows_names_addresses_and_blocks() {
        let spares = |list: &str, host: &str| {
            variable(&format!("http://{host}"), &[("http_proxy", "p:1"), ("NO_PROXY", list)]).is_none()
        };
        for (list, host) in [
            ("*", "far"),
            ("a, far.org", "far.org:80"),
            ("a far.org", "Far.ORG"),
            ("far.org", "x.far.org"),
            (".far.org", "x.far.org"),
            ("*.far.org", "x.y.far.org"),
            ("10.0.0.0/8", "10.1.2.3:99"),
            ("10.1.2.0/23", "10.1.3.3"),
            ("10.1.2.3", "10.1.2.3"),
            ("fd00::/8", "[fd12::1]:80"),
            ("[fd12::1]", "[fd12::1]:80"),
            ("far:80", "far:80"),
            ("0.0.0.0/0", "8.8.8.8"),
        ] {
            assert!(spares(list, host), "{list} {host}");
        }
        for (list, host) in [
            ("far.org", "notfar.org"),
            ("far.org", "far.org.evil"),
            ("10.0.0.0/8", "11.0.0.1"),
            ("10.0.0.0/8", "ten.org"),
            ("10.1.2.0/23", "10.1.4.0"),
            ("10.0.0.0/99", "10.0.0.0"),
            ("10.0.0.0/x", "10.0.0.0"),
            ("far:81", "far:80"),
            ("", "far"),
        ] {
            assert!(!spares(list, host), "{list} {host}");
        }
    }

    #[test]
    fn a_proxy_is_shown_without_its_password() {
        let found = proxy("http://far:80/v1", &[("http_proxy", "http://me:secret@p:3128/x")]).unwrap().unwrap();
        let said = found.by_way_of();
        assert_eq!(said, "through the proxy http://p:3128 from the variable http_proxy; NO_PROXY=far bypasses it");
        assert_eq!(found.url, "http://me:secret@p:3128/x");
        let socks = proxy("https://far", &[("ALL_PROXY", "socks5h://me:secret@p:1080")]).unwrap_err().to_string();
        assert!(socks.contains("ALL_PROXY names the proxy socks5h://p:1080") && !socks.contains("secret"), "{socks}");
        // Where it would not be used it does not matter.
        assert_eq!(proxy("http://127.0.0.1", &[("ALL_PROXY", "socks5h://p:1080")]), Ok(None));
    }
}
