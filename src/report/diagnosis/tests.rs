//! What the screen says of each ending, at 80 columns.

use std::path::{Path, PathBuf};

use super::*;
use crate::analysis::sequential::State;
use crate::causes::Cause;
use crate::diagnosis::{
    About, Case, Counted, Diagnosis, Ending, Frame, Kind, Like, Looped, Outcome, Overrides, Period, Rate, Remedy,
    StageNote, Target, Tried, built_in, not_tried, set_aside, switches,
};
use crate::screen::Layout;
use crate::stats::Interval;

fn rate(loops: usize, texts: usize) -> Rate {
    let share = loops as f64 / texts as f64;
    let interval = Interval { low: (share - 0.2).max(0.0), high: (share + 0.2).min(1.0), level: 0.95 };
    Rate { loops, texts, empty: 0, prompts: texts, interval: Some(interval) }
}

fn outcome(state: State, effect: f64, prompts: usize, within: Option<f64>) -> Outcome {
    let interval = Some(Interval { low: effect - 0.2, high: effect + 0.2, level: 0.95 });
    Outcome { state, effect, interval, p: 0.01, prompts, changed: prompts, within }
}

fn screen_of(ending: Ending, counted: Counted) -> String {
    let as_run = Like::Shimmy.setup("tiny", Overrides::default()).unwrap();
    let about = About { room_tokens: 640, ..About::default() };
    let all = switches(&as_run, &about);
    let medicines: Vec<_> = all.iter().filter(|switch| switch.kind == Kind::Medicine).cloned().collect();
    let of = |cause| all.iter().find(|switch| switch.cause == cause).unwrap().clone();
    let crate::diagnosis::Prompts { search, fresh } = built_in();
    let remedy = |switches: Vec<_>| Remedy {
        switches,
        before: rate(15, 24),
        after: Rate { empty: if ending == Ending::NeedsBoth { 3 } else { 0 }, ..rate(1, 24) },
        outcome: outcome(State::Supported, -0.583, 24, None),
        found_after: 8,
    };
    let (zero, greedy) = (of(Cause::PenaltyZero), of(Cause::Greedy));
    let remedies = match ending {
        Ending::Cause | Ending::NoRemedyHere => {
            vec![remedy(vec![zero.clone()]), remedy(vec![greedy.clone()])]
        }
        Ending::TwoCauses | Ending::NeedsBoth => vec![remedy(vec![zero.clone(), greedy.clone()])],
        Ending::NotConfirmed => vec![remedy(vec![zero.clone()])],
        Ending::NotReproduced | Ending::TooRare | Ending::LoopsWhatever | Ending::Budget => vec![],
    };
    let tried = |(place, switch)| Tried {
        switches: vec![switch],
        outcome: match place % 2 {
            0 => outcome(State::Negligible, 0.0, 30, Some(0.1)),
            _ => outcome(State::Open, -0.15, 8, Some(0.4)),
        },
        rate: rate(5, 8),
    };
    let is_other = |switch: &&crate::diagnosis::Switch| ![&zero, &greedy].contains(switch);
    let others = all.iter().filter(is_other).cloned().enumerate().map(tried).collect();
    let (as_run_rate, looped, others) = match ending {
        Ending::NotReproduced => (Rate { interval: None, ..rate(0, 48) }, false, vec![]),
        Ending::TooRare => (Rate { empty: 5, ..rate(2, 48) }, true, vec![]),
        _ => (rate(15, 24), true, others),
    };
    let text = "I want to be able to be able to be able to be able to be able to be able to".to_owned();
    let (period, copies, repeated) = match counted {
        Counted::Loops => (Some(Period::Tokens(4.0)), 6.5, None),
        Counted::Repeats => (None, 0.0, Some(0.82)),
    };
    let worst = Looped { prompt: "p1".to_owned(), text, period, copies, repeated };
    let diagnosis = Diagnosis {
        ending,
        counted,
        as_run: as_run_rate,
        repeats: as_run_rate.loops,
        worst: looped.then_some(worst),
        remedies,
        others,
        not_tried: not_tried(&about).into_iter().chain(set_aside(&medicines)).collect(),
        stages: vec![StageNote { name: "1-as-run".to_owned(), arms: 1, texts: as_run_rate.texts }],
    };
    let case = Case { as_run, about, runtime: Like::Shimmy.runtime(), findings: vec![], search, fresh };
    let frame = Frame {
        name: "diagnose-tiny".to_owned(),
        model: "tiny".to_owned(),
        target: Target::File(PathBuf::from("/tiny.gguf")),
        max_tokens: 128,
        context: 640,
        alpha: 0.05,
        negligible: 0.1,
    };
    let directory = Path::new("results/diagnose-tiny");
    screen(&Shown { case: &case, frame: &frame, directory, diagnosis: &diagnosis }).laid_out(Layout::FILE)
}

#[test]
fn each_ending_fits_a_screen() {
    let endings = [
        Ending::Cause,
        Ending::TwoCauses,
        Ending::NeedsBoth,
        Ending::NotConfirmed,
        Ending::NotReproduced,
        Ending::TooRare,
        Ending::LoopsWhatever,
        Ending::NoRemedyHere,
        Ending::Budget,
    ];
    for ending in endings {
        let said = screen_of(ending, Counted::Loops);
        assert!(said.lines().count() <= 25, "{ending}\n{said}");
        assert!(said.lines().all(|line| line.chars().count() <= 80), "{ending}\n{said}");
        insta::assert_snapshot!(ending.to_string(), said);
    }
}

#[test]
fn what_repeats_without_a_loop_at_its_end_has_words_of_its_own() {
    insta::assert_snapshot!(screen_of(Ending::LoopsWhatever, Counted::Repeats));
    assert!(screen_of(Ending::TooRare, Counted::Repeats).contains("2 of 48 texts repeat themselves"));
}
