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
        Routing::Groups => format!("random, between {} groups of {used} experts of the same weight", experts / used),
        Routing::Independent => {
            format!(
                "random for each expert: {experts} make no whole groups of {used}, so copies are rounded when summed"
            )
        }
    };
    let [from, to] = [source, target].map(|path| path.display().to_string());
    format!(
        "made          {to} ({}, architecture {architecture})\n\
         experts       {experts} in each of {layers} layers, {used} used for a token, {}; {experts_are}\n\
         routing       {routed}; seed {seed}\n\
         from          {from}\n\
         its SHA-256   {from_sha256}\n\
         SHA-256       {sha256}\n\
         next          moe-sweep model inspect {to}\n",
        human_bytes(*bytes),
        human_bytes(*expert_bytes),
    )
}
