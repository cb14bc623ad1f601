//! What the planning functions are held against: SciPy, statsmodels, and published figures.

use serde::Deserialize;

use super::super::permutation::turn_signs;
use super::super::testing::{assert_near, gaussians, oracle};
use super::*;

fn target(alpha: f64) -> Target {
    Target { alpha, power: 0.8 }
}

fn from(detectable: Result<Detectable, StatsError>) -> f64 {
    match detectable.unwrap() {
        Detectable::From(size) => size,
        Detectable::Nothing { .. } => panic!("it sees nothing"),
    }
}

#[derive(Deserialize)]
struct Power {
    n: usize,
    power: f64,
    alpha: f64,
    dz: f64,
}

#[test]
fn agrees_with_the_noncentral_t() {
    for Power { n, power, alpha, dz } in oracle::<Vec<Power>>("power") {
        assert_near(smallest_standardised(n, Target { alpha, power }).unwrap(), dz, 1e-4 * dz);
    }
}

#[test]
fn with_many_prompts_it_is_the_paired_t_test() {
    for (alpha, dz) in [(0.05, 0.5972), (0.05 / 5.0, 0.7525), (0.05 / 7.0, 0.7833)] {
        assert_near(from(detectable(1.0, 24, target(alpha))), dz, 1e-4);
    }
}

#[derive(Deserialize)]
struct ByT {
    dz: f64,
    alpha: f64,
    n: usize,
}

#[test]
fn prompts_agree_with_statsmodels_where_t_is_the_test() {
    for ByT { dz, alpha, n } in oracle::<Vec<ByT>>("prompts_by_t") {
        assert_eq!(student::prompts(|n| Reach::student(n, alpha).power(dz) >= 0.8), Some(n), "dz {dz}, alpha {alpha}");
        let needed = prompts_for_difference(dz, 1.0, target(alpha)).unwrap().unwrap();
        // The turned signs ask for a prompt or two more, as long as all arrangements are tried.
        let allowed = if n > turning::MOST_EXACT { n..=n } else { n..=n + 2 };
        assert!(allowed.contains(&needed), "dz {dz}, alpha {alpha}: {needed} for {n}");
    }
}

#[test]
fn signs_that_are_turned_in_every_way_have_the_power_simulated() {
    for Power { n, alpha, dz, power } in oracle::<Vec<Power>>("turned_power") {
        assert_near(Reach::of_turning(n, alpha).unwrap().power(dz), power, 0.012);
    }
}

/// At 6 prompts and an alpha of 0.05 all six must have the same sign: Φ(d_z)⁶ = 0.8.
#[test]
fn six_prompts_find_what_shows_in_all_six() {
    let dz = from(detectable(1.0, 6, Target::default()));
    assert_near(dz, 1.792_8, 0.02);
    assert!(dz > 1.2 * smallest_standardised(6, Target::default()).unwrap(), "t promises too much: {dz}");
}

/// The program's own test, not a model of it: 0.8 of simulated runs are significant at `detectable`.
#[test]
fn the_test_finds_what_is_called_detectable() {
    for (n, alpha) in [(7, 0.05), (12, 0.01)] {
        let dz = from(detectable(1.0, n, target(alpha)));
        let found = (0..400).filter(|&set| {
            let differences: Vec<f64> = gaussians(set).take(n).map(|x| x + dz).collect();
            let sum = |signs: &[f64]| differences.iter().zip(signs).map(|(difference, sign)| difference * sign).sum();
            turn_signs(n, sum).p <= alpha
        });
        // 320, with a standard deviation of 8.
        let found = found.count();
        assert!((290..=350).contains(&found), "{found} of 400 at n = {n}");
    }
}

#[test]
fn simulated_critical_values_join_t() {
    for alpha in [0.05, 0.01] {
        let (turned, t) = (from(detectable(1.0, 16, target(alpha))), smallest_standardised(16, target(alpha)).unwrap());
        assert!(turned > t * 0.995 && turned < t * 1.03, "{turned} {t}");
    }
}

#[test]
fn a_design_can_be_unable_to_see_anything() {
    let found = |n, alpha| detectable(0.3, n, target(alpha)).unwrap();
    assert_eq!(found(4, 0.05), Detectable::Nothing { least_p: 0.125, enough: Some(6) });
    assert_eq!(found(8, 0.05 / 10.0), Detectable::Nothing { least_p: 1.0 / 128.0, enough: Some(9) }, "5 % over ten");
    assert!(matches!(found(24, 0.05 / 501.0), Detectable::Nothing { enough: None, .. }), "10 000 draws are too few");
    assert_eq!(prompts_for_difference(9.0, 1.0, target(1e-6)), Ok(None));
    assert_eq!(prompts_for_difference(1e-9, 1.0, target(0.05)), Ok(None), "there are not so many");
    // (1.96 + 0.8416)² for each squared millionth: beyond where the spread is integrated.
    let many = prompts_for_difference(1e-5, 1.0, target(0.05)).unwrap().unwrap();
    assert_near(many as f64, 7.848_88e10, 1e6);
}

#[test]
fn the_least_prompts_of_turned_signs() {
    let least = [1.0, 2.0, 5.0, 7.0, 10.0, 20.0].map(|m| least_prompts(0.05 / m).unwrap());
    assert_eq!(least, [6, 7, 8, 9, 9, 10]);
    assert_eq!([1, 4, 6, 16].map(least_p), [1.0, 0.125, 0.03125, 0.5_f64.powi(15)]);
    assert_eq!(least_p(24), 1.0 / 10_001.0);
}

#[derive(Deserialize)]
struct Margin {
    n: usize,
    alpha: f64,
    sides: usize,
    margin: f64,
}

#[test]
fn margins_agree_with_the_integral() {
    for Margin { n, alpha, sides, margin } in oracle::<Vec<Margin>>("least_margin") {
        let bounds = if sides == 2 { Bounds::Both } else { Bounds::Upper };
        let found = least_margin(1.0, n, bounds, target(alpha)).unwrap();
        assert_near(found.by_spread, margin, 1e-4 * margin);
        assert_near(found.by_unseen, 1.0 - alpha.powf(1.0 / n as f64), 1e-12);
        // What is decided with n prompts needs n.
        let needed = prompts_for_margin(margin * 1.001, 1.0, bounds, target(alpha)).unwrap();
        assert_eq!(needed.by_spread, Some(n));
    }
}

#[test]
fn no_spread_is_small_enough_for_what_no_prompt_shows() {
    let found = least_margin(1e-6, 24, Bounds::Both, Target::default()).unwrap();
    assert_near(found.greater(), 0.1173, 1e-4);
    let needed = prompts_for_margin(0.05, 1e-6, Bounds::Both, Target::default()).unwrap();
    assert_eq!((needed.greatest(), needed.by_unseen), (Some(59), Some(59)));
    assert_eq!(prompts_for_margin(2.0, 1e-6, Bounds::Both, Target::default()).unwrap().greatest(), Some(6));
    assert!(least_margin(0.3, 5, Bounds::Both, Target::default()).unwrap_err().to_string().contains("at least 6"));
}

#[test]
fn what_no_prompt_shows() {
    let margins = [0.02, 0.05, 0.1, 0.2].map(|margin| prompts_to_rule_out(margin, 0.05).unwrap());
    assert_eq!(margins, [149, 59, 29, 14]);
    let under = |alpha| [0.2, 0.1, 0.05].map(|limit| prompts_to_rule_out(limit, alpha).unwrap());
    assert_eq!(under(0.025), [17, 36, 72]);
    assert_eq!(under(0.05 / 8.0), [23, 49, 99]);
    for (n, share) in [(3, 0.6316), (8, 0.3123), (12, 0.2209), (24, 0.1173), (48, 0.0605)] {
        assert_near(unseen_share(n, 0.05).unwrap(), share, 1e-4);
    }
    // At a share that n rules out exactly, n is enough.
    assert_eq!(prompts_to_rule_out(unseen_share(24, 0.05).unwrap(), 0.05), Ok(24));
}

#[test]
fn prompts_for_a_change_of_a_share() {
    let needed = |from, to, correlation| prompts_for_shares(from, to, correlation, Target::default());
    let cases = [(0.0, 0.1, 77), (0.05, 0.15, 143), (0.05, 0.3, 38), (0.1, 0.3, 65), (0.3, 0.5, 96)];
    for (from, to, independent) in cases {
        assert_eq!(
            [needed(from, to, 0.0), needed(to, from, 0.0)],
            [Ok(independent), Ok(independent)],
            "{from} to {to}"
        );
    }
    let correlated = [(0.0, 0.1, 77), (0.05, 0.15, 82), (0.1, 0.3, 38), (0.3, 0.5, 51)];
    for (from, to, n) in correlated {
        assert_eq!(needed(from, to, 0.5), Ok(n), "{from} to {to}");
    }
    // A text in 20 and six in 20 can't resemble each other so much: fewer would change than the rate does.
    assert!(needed(0.05, 0.3, 0.5).unwrap_err().to_string().contains("nearer to 0"));
    assert!(needed(0.1, 0.1, 0.0).is_err() && needed(0.1, 1.2, 0.0).is_err() && needed(0.1, f64::NAN, 0.0).is_err());
}

#[test]
fn texts_of_a_prompt_are_worth_less() {
    for (icc, worth) in [(0.1, 73.85), (0.3, 50.53), (0.5, 38.4), (0.8, 28.24)] {
        assert_near(effective_texts(24, 4, icc).unwrap(), worth, 0.005);
    }
    for (icc, best) in [(0.1, 3.0), (0.3, 1.53), (0.5, 1.0), (0.8, 0.5)] {
        assert_near(best_texts(icc, 1.0).unwrap(), best, 0.005);
    }
    assert_near(best_texts(0.5, 4.0).unwrap(), 2.0, 1e-12);
    assert!(best_texts(0.0, 1.0).is_err() && best_texts(0.5, 0.0).is_err());
    assert!(effective_texts(24, 4, 1.1).is_err() && effective_texts(24, 0, 0.1).is_err());
    assert!(effective_texts(0, 4, 0.1).is_err());
}

#[test]
fn the_unit_is_that_of_the_differences() {
    assert_near(from(detectable(3.0, 9, Target::default())), 3.0 * from(detectable(1.0, 9, Target::default())), 1e-6);
}

#[test]
fn says_what_it_refuses() {
    let of = |sd, n, alpha, power| detectable(sd, n, Target { alpha, power }).is_err();
    assert!(of(0.3, 0, 0.05, 0.8) && of(0.0, 8, 0.05, 0.8) && of(f64::NAN, 8, 0.05, 0.8));
    assert!(of(0.3, 8, 0.5, 0.8) && of(0.3, 8, 0.05, 0.01) && of(0.3, 8, 0.05, f64::NAN));
    assert!(
        standard_deviation(&[0.1, f64::NAN]).is_err()
            && standard_deviation(&[0.1]).is_err()
            && standard_deviation(&[0.1; 4]).is_err()
    );
}
