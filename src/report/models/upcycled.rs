//! What `model upcycle` has made, as it says it.

use crate::model::human_bytes;
use crate::model::upcycle::{Routing, Upcycled, Upcycling};

/// What was made of what, its bytes and hash, and what to do next.
pub fn upcycled(request: &Upcycling<'_>, made: &Upcycled) -> String {
    let Upcycling { source, target, experts, used, noise, seed } = *request;
    let Upcycled { architecture, layers, bytes, expert_bytes, from_sha256, sha256 } = made;
    let experts_are = match noise {
        0.0 => "each the dense block byte for byte".to_owned(),
        noise => format!("each the dense block with noise {noise}"),
    };
    let routed = match request.routing() {
        Routing::Groups if experts == used => "a token uses all experts".to_owned(),
        Routing::Groups => format!("random, between {} groups of {used} experts with equal weights", experts / used),
        Routing::Independent => {
            format!("random for each expert: {experts} is not a multiple of {used}, so sums of copies are rounded")
        }
    };
    let [from, to] = [source, target].map(|path| path.display().to_string());
    format!(
        "made          {to} ({}, architecture {architecture})\nexperts       {experts} in each of {layers} layers, \
         {used} used per token, {}; {experts_are}\nrouting       {routed}; seed {seed}\nfrom          {from}\nits \
         SHA-256   {from_sha256}\nSHA-256       {sha256}\nnext          moe-sweep model inspect {to}\n",
        human_bytes(*bytes),
        human_bytes(*expert_bytes),
    )
}
