//! Reads what a server states of its own sampling in llama.cpp's words, and what it can be told of it. Must not know why one
//! asks.

use super::identity::ServerFacts;
use super::mapping::sampling_fields;
use crate::domain::{ResolvedChain, Said, Step, Temperature};
use crate::experiment::Server;

impl ServerFacts {
    /// Of each parameter, what the server does where a request says nothing; None where it does not state it.
    pub fn sampling(&self) -> Said {
        let of_file = self.stated.get("parameters").map_or("", String::as_str);
        // Ollama: a parameter a line, of those that the model's file sets.
        let of_file = of_file.lines().filter_map(|line| line.trim().split_once(char::is_whitespace));
        let known: Vec<(&str, &str)> =
            self.defaults.iter().map(|(name, value)| (&**name, &**value)).chain(of_file).collect();
        let text = |name: &str| known.iter().find(|(known, _)| *known == name).map(|(_, value)| value.trim());
        let number = |name: &str| text(name)?.parse::<f32>().ok().filter(|x| x.is_finite());
        let integer = |name: &str| text(name)?.parse::<i32>().ok();
        Said {
            temperature: number("temperature").and_then(Temperature::new),
            top_k: integer("top_k"),
            top_p: number("top_p"),
            min_p: number("min_p"),
            repeat_penalty: number("repeat_penalty"),
            repeat_last_n: integer("repeat_last_n"),
            presence_penalty: number("presence_penalty"),
            frequency_penalty: number("frequency_penalty"),
        }
    }
}

/// Of what is to be said, the part that `server` has words for.
pub fn sayable(server: &Server, said: Said) -> Said {
    let has_words = |part: &Said| sampling_fields(server, &ResolvedChain(vec![Step::Request(*part)])).is_ok();
    said.parts().filter(has_words).fold(Said::default(), Said::or)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn facts(defaults: &[(&str, &str)], stated: &[(&str, &str)]) -> ServerFacts {
        let map = |entries: &[(&str, &str)]| {
            entries.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<BTreeMap<_, _>>()
        };
        ServerFacts { stated: map(stated), context: None, defaults: map(defaults) }
    }

    #[test]
    fn a_llama_servers_defaults_and_an_ollama_models_parameters_are_read() {
        let llama_server = [("temperature", "0.800000011920929"), ("top_k", "40"), ("samplers", "[\"top_k\"]")];
        let expected = Said { temperature: Temperature::new(0.8), top_k: Some(40), ..Said::default() };
        assert_eq!(facts(&llama_server, &[]).sampling(), expected);
        let ollama = "temperature                    0.6\nrepeat_penalty 1.05\nstop    \"<|end|>\"";
        let expected = Said { temperature: Temperature::new(0.6), repeat_penalty: Some(1.05), ..Said::default() };
        assert_eq!(facts(&[], &[("parameters", ollama)]).sampling(), expected);
        assert_eq!(facts(&[("top_k", "many"), ("temperature", "-1")], &[]).sampling(), Said::default());
    }
}
