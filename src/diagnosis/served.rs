//! Lists what a request can say to a server of its samplers, each parameter by itself, against saying nothing. Must not
//! know any server's API.
//!
//! A person who asks a server says little, so the server's own defaults are what is diagnosed. Where the server states
//! one that is not llama.cpp's usual value, saying the usual value puts something back, under the name of that fault;
//! where it states none, saying the usual value tells whether its defaults are the fault.

use super::setup::{Edit, Setup, USUAL_TEMPERATURE};
use super::switch::{
    COOL_TEMPERATURE, Kind, LONG_LAST_N, NotTried, ROOMY_TEMPERATURE, SOME_PENALTY, Switch, adjustment,
    of_repeat_penalty, of_window,
};
use crate::causes::{Adjustment, Cause, Knob};
use crate::domain::{Author, Said, SaidValue, Temperature};

/// What is known of a server's samplers before a text is made.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sampling {
    /// What the server states that it does where a request says nothing.
    pub stated: Said,
    /// Of [`usual`], what a request can say.
    pub sayable: Said,
}

/// How a parameter that the server does not state is shown.
pub const NOT_SAID: &str = "not said";

/// llama.cpp's usual values (`common_params_sampling`).
pub fn usual() -> Said {
    Said {
        temperature: Temperature::new(USUAL_TEMPERATURE),
        top_k: Some(40),
        top_p: Some(0.95),
        min_p: Some(0.05),
        repeat_penalty: Some(1.0),
        repeat_last_n: Some(64),
        presence_penalty: Some(0.0),
        frequency_penalty: Some(0.0),
    }
}

/// Every parameter that a request can say, said.
pub fn of_request(setup: &Setup, sampling: Sampling) -> Vec<Switch> {
    let request = Request::of(setup, sampling);
    let mut found = Vec::new();
    found.extend(request.of_penalties());
    found.extend(request.of_temperature());
    found.extend(request.of_truncation());
    found
}

/// Everything said at llama.cpp's usual values: all switches of samplers at once.
pub fn all_said(setup: &Setup, sampling: Sampling) -> Option<Switch> {
    let request = Request::of(setup, sampling);
    let differs = |part: &Said| part.or(request.known) != request.known;
    let to = request.sayable.parts().filter(differs).fold(Said::default(), Said::or);
    (setup.chain.author == Author::Server && to.parts().count() > 1)
        .then(|| request.switch(Cause::ServerDefaults, Kind::Undo, to))
}

/// What a server does that no request can change.
pub fn not_said(sampling: Sampling) -> Option<NotTried> {
    let not: Vec<String> = usual()
        .parts()
        .filter(|part| !part.meets(&sampling.sayable))
        .flat_map(|part| knobs(part).map(|(knob, _)| knob.to_string()))
        .collect();
    (!not.is_empty()).then(|| NotTried {
        what: not.join(", "),
        why: "a request to this server has no fields for them: use another --api, or give the model's file".to_owned(),
    })
}

/// What a request can say, and what holds where it says nothing.
#[derive(Clone, Copy)]
struct Request {
    known: Said,
    sayable: Said,
}

impl Request {
    fn of(setup: &Setup, sampling: Sampling) -> Self {
        Self { known: setup.said().or(sampling.stated), sayable: sampling.sayable }
    }

    fn of_penalties(self) -> Vec<Switch> {
        let Self { known, sayable } = self;
        let nothing = Said::default();
        let mut found = Vec::new();
        let repeat = |to| Said { repeat_penalty: Some(to), ..nothing };
        let acts = [known.repeat_penalty.map(|x| x != 1.0), known.presence_penalty.map(|x| x != 0.0)]
            .into_iter()
            .chain([known.frequency_penalty.map(|x| x != 0.0)])
            .flatten()
            .any(|acts| acts)
            && known.repeat_last_n != Some(0);
        match known.repeat_penalty {
            Some(1.0) => {}
            Some(x) => found.push(self.switch(of_repeat_penalty(x), Kind::Undo, repeat(1.0))),
            None => found.push(self.switch(Cause::ServerDefaults, Kind::Undo, repeat(1.0))),
        }
        let presence = Said { presence_penalty: Some(0.0), ..nothing };
        let frequency = Said { frequency_penalty: Some(0.0), ..nothing };
        for (known, cause, to) in [
            (known.presence_penalty, Cause::PresencePenalty, presence),
            (known.frequency_penalty, Cause::FrequencyPenalty, frequency),
        ] {
            match known {
                Some(0.0) => {}
                Some(_) => found.push(self.switch(cause, Kind::Undo, to)),
                None => found.push(self.switch(Cause::ServerDefaults, Kind::Undo, to)),
            }
        }
        if let (true, Some(n @ 1..LONG_LAST_N)) = (acts, known.repeat_last_n) {
            let to = Said { repeat_last_n: Some(LONG_LAST_N), ..nothing };
            found.push(self.switch(Cause::WindowShort, of_window(n), to));
        }
        if !acts {
            found.push(self.switch(Cause::PenaltyMissing, Kind::Medicine, repeat(SOME_PENALTY)));
        }
        found.retain(|switch| is_sayable(switch, sayable));
        found
    }

    fn of_temperature(self) -> Vec<Switch> {
        let known = self.known.temperature.map(Temperature::get);
        let to = |cause, kind, t: f32| {
            self.switch(cause, kind, Said { temperature: Temperature::new(t), ..Said::default() })
        };
        let kind = |is_usual: bool| if is_usual { Kind::Medicine } else { Kind::Undo };
        let mut found = Vec::new();
        match known {
            Some(0.0) => found.push(to(Cause::Greedy, Kind::Undo, USUAL_TEMPERATURE)),
            Some(t) if t < USUAL_TEMPERATURE => found.push(to(Cause::TemperatureLow, Kind::Undo, USUAL_TEMPERATURE)),
            Some(t) if t < ROOMY_TEMPERATURE => {
                found.push(to(Cause::TemperatureLow, Kind::Medicine, ROOMY_TEMPERATURE));
            }
            Some(_) => {}
            None => {
                found.push(to(Cause::ServerDefaults, Kind::Undo, USUAL_TEMPERATURE));
                found.push(to(Cause::TemperatureLow, Kind::Medicine, ROOMY_TEMPERATURE));
            }
        }
        if known.is_none_or(|t| t > COOL_TEMPERATURE) {
            let is_usual = known.is_none_or(|t| t <= USUAL_TEMPERATURE);
            found.push(to(Cause::TemperatureHigh, kind(is_usual), COOL_TEMPERATURE));
        }
        found.retain(|switch| is_sayable(switch, self.sayable));
        found
    }

    /// All three cuts together: one switch says whether they matter.
    fn of_truncation(self) -> Option<Switch> {
        let Self { known, sayable } = self;
        // Of one token there is nothing to choose.
        if known.temperature.is_some_and(|t| t.get() == 0.0) {
            return None;
        }
        let cuts = |Said { top_k, top_p, min_p, .. }: Said| Said { top_k, top_p, min_p, ..Said::default() };
        let sayable = cuts(sayable);
        if sayable.is_nothing() {
            return None;
        }
        if known.top_k == Some(1) && sayable.top_k.is_some() {
            return Some(self.switch(Cause::Greedy, Kind::Undo, Said { top_k: sayable.top_k, ..Said::default() }));
        }
        let of =
            |keep: &dyn Fn(&Said) -> bool| sayable.parts().filter(|part| keep(part)).fold(Said::default(), Said::or);
        let unknown = of(&|part| !part.meets(&known));
        if !unknown.is_nothing() {
            return Some(self.switch(Cause::ServerDefaults, Kind::Undo, unknown));
        }
        let unusual = of(&|part| part.or(known) != known);
        if !unusual.is_nothing() {
            return Some(self.switch(Cause::Truncation, Kind::Undo, unusual));
        }
        let off = Said { top_k: Some(0), top_p: Some(1.0), min_p: Some(0.0), ..Said::default() };
        let off = off.parts().filter(|part| part.meets(&sayable)).fold(Said::default(), Said::or);
        Some(self.switch(Cause::Truncation, Kind::Medicine, off))
    }

    fn switch(self, cause: Cause, kind: Kind, to: Said) -> Switch {
        let known: Vec<(Knob, String)> = knobs(self.known).collect();
        let from = |knob: Knob| known.iter().find(|(known, _)| *known == knob).map_or(NOT_SAID, |(_, value)| value);
        let adjustments: Vec<Adjustment> = knobs(to).map(|(knob, to)| adjustment(knob, from(knob), &to)).collect();
        Switch { cause, kind, edits: vec![Edit::Say(to)], adjustments }
    }
}

fn is_sayable(switch: &Switch, sayable: Said) -> bool {
    let is = |edit: &Edit| !matches!(edit, Edit::Say(said) if !said.parts().all(|part| part.meets(&sayable)));
    switch.edits.iter().all(is)
}

/// What is said, by the names that remedies have for it.
fn knobs(said: Said) -> impl Iterator<Item = (Knob, String)> {
    said.parameters().filter_map(|(name, value)| {
        let knob = Knob::ALL.into_iter().find(|knob| knob.to_string() == name.replace('_', "-"))?;
        // A repeat penalty as people write it: 1 looks like a switch that is on.
        let is_none = (knob, value) == (Knob::RepeatPenalty, SaidValue::Number(1.0));
        Some((knob, if is_none { "1.0".to_owned() } else { value.to_string() }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::{About, Known, Place, switches};
    use crate::domain::Template;

    fn found(said: Said, stated: Said, sayable: Said) -> Vec<Switch> {
        let about = About {
            place: Place::Server,
            template: Known::Yes,
            sampling: Sampling { stated, sayable },
            room_tokens: 640,
            ..About::default()
        };
        switches(&Setup::served("tiny", said).at(Template::Chat.into()), &about)
    }

    fn causes(switches: &[Switch], kind: Kind) -> Vec<Cause> {
        switches.iter().filter(|switch| switch.kind == kind).map(|switch| switch.cause).collect()
    }

    #[test]
    fn a_server_that_states_usual_defaults_has_medicines_only() {
        let found = found(Said::default(), usual(), usual());
        assert_eq!(causes(&found, Kind::Undo), []);
        let medicines = [
            Cause::PenaltyMissing,
            Cause::TemperatureLow,
            Cause::TemperatureHigh,
            Cause::Truncation,
            Cause::TemplateUsed,
        ];
        assert_eq!(causes(&found, Kind::Medicine), medicines);
    }

    #[test]
    fn a_stated_fault_has_its_own_name_and_one_that_is_not_stated_is_the_servers_defaults() {
        let zero = Said { repeat_penalty: Some(0.0), ..usual() };
        let of_zero = found(Said::default(), zero, usual());
        let first = &of_zero[0];
        assert_eq!((first.cause, first.edits.len()), (Cause::PenaltyZero, 1));
        assert_eq!((first.adjustments[0].from.as_str(), first.adjustments[0].to.as_str()), ("0", "1.0"));
        let silent = found(Said::default(), Said::default(), usual());
        assert_eq!(silent.iter().filter(|switch| switch.cause == Cause::ServerDefaults).count(), 5);
        assert_eq!(silent[0].adjustments[0].from, "not said");
    }

    #[test]
    fn what_the_person_says_counts_for_more_than_what_the_server_states() {
        let said = Said { temperature: Temperature::new(0.0), ..Said::default() };
        let found = found(said, usual(), usual());
        assert!(causes(&found, Kind::Undo).contains(&Cause::Greedy));
        assert!(!found.iter().any(|switch| switch.cause == Cause::Truncation), "of one token nothing is cut");
    }

    #[test]
    fn only_what_the_api_has_words_for_is_switched_and_the_rest_is_said_to_be_left_out() {
        let openai = Said { top_k: None, min_p: None, repeat_penalty: None, repeat_last_n: None, ..usual() };
        let found = found(Said::default(), Said::default(), openai);
        let knobs = found.iter().flat_map(|switch| &switch.adjustments).map(|adjustment| adjustment.knob);
        assert!(!knobs.clone().any(|knob| matches!(knob, Knob::TopK | Knob::MinP | Knob::RepeatPenalty)));
        assert!(knobs.clone().any(|knob| knob == Knob::PresencePenalty));
        let left = not_said(Sampling { stated: Said::default(), sayable: openai }).unwrap();
        assert_eq!(left.what, "top-k, min-p, repeat-penalty, repeat-last-n");
    }

    #[test]
    fn all_that_is_not_as_usual_is_said_at_once() {
        let setup = Setup::served("tiny", Said::default());
        let hot = Said { temperature: Temperature::new(1.9), min_p: Some(0.0), ..usual() };
        let whole = |stated| all_said(&setup, Sampling { stated, sayable: usual() });
        assert_eq!(whole(hot).unwrap().adjustments.len(), 2);
        assert_eq!(whole(Said::default()).unwrap().adjustments.len(), 8);
        assert_eq!(whole(usual()), None);
        // One alone is tried already.
        assert_eq!(whole(Said { min_p: Some(0.0), ..usual() }), None);
    }
}
