//! A plan in parts: shards, and the prompts between two looks.

use itertools::Itertools as _;
use proptest::prelude::*;

use super::*;

/// Two models, of which `b` may have fewer chains, and so smaller prompts.
fn grid_of(n_prompts: usize, n_temperatures: usize, n_seeds: usize, smaller: bool) -> Experiment {
    let list = |items: Vec<String>| format!("[{}]", items.join(", "));
    let prompts = list((0..n_prompts).map(|n| format!("\"prompt {n}\"")).collect());
    let temperatures = list((1..=n_temperatures).map(|n| format!("{}", n as f64 / 10.0)).collect());
    let exclude = if smaller { "[[grid.exclude]]\nmodel = \"b\"\nchain = \"pure\"\n\n" } else { "" };
    edited(
        EXPERIMENT,
        &[
            ("[\"one\", \"two\"]", &prompts),
            ("[1.0, 0.5]", &temperatures),
            ("[7, 3]", &format!("{{ from = 0, count = {n_seeds} }}")),
            ("[prompts]", &format!("{exclude}[prompts]")),
        ],
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn shards_are_the_plan_in_even_parts_of_whole_prompts(
        n_prompts in 1..12_usize,
        n_temperatures in 1..4_usize,
        n_seeds in 1..6_usize,
        smaller: bool,
        count in 1..14_u32,
    ) {
        let plan = plan(&grid_of(n_prompts, n_temperatures, n_seeds, smaller));
        let texts = |trials: &mut dyn Iterator<Item = &Trial>| trials.map(|trial| &trial.id).unique().count();
        let largest = plan.loads.iter().flat_map(|load| &load.prompts);
        let largest = largest.map(|group| texts(&mut group.trials.iter().map(|t| &t.trial))).max().expect("a prompt");
        let all: Vec<_> = plan.trials().collect();
        let total = texts(&mut all.iter().copied());
        let mut next = 0;
        for index in 1..=count {
            let (part, place) = plan.shard(Shard::new(index, count).expect("it is one of them"));
            let own: Vec<_> = part.trials().collect();
            prop_assert_eq!(&own, &all[place.clone()]);
            if !own.is_empty() {
                prop_assert_eq!(place.start, next, "shard {} of {}", index, count);
                next = place.end;
            }
            // Whole prompts: each of its groups is a group of the plan.
            for load in &part.loads {
                let whole = plan.loads.iter().find(|l| (&l.model, l.key.offload()) == (&load.model, load.key.offload()));
                let whole = &whole.expect("a load of the plan").prompts;
                prop_assert!(load.prompts.iter().all(|group| whole.contains(group)));
            }
            let (own, even) = (texts(&mut own.into_iter()), total as f64 / f64::from(count));
            prop_assert!((own as f64 - even).abs() <= largest as f64, "{own} texts, {even} were even");
        }
        prop_assert_eq!(next, all.len());
    }
}

/// 12 prompts, two models at two offloads, looked at one by one.
fn looked_at(settings: &str) -> Experiment {
    let hypothesis = "[[hypothesis]]\nid = \"h\"\ntrend = \"temperature\"\nexpect = \"increasing\"\n";
    let prompts: Vec<String> = (0..12).map(|n| format!("\"prompt {n}\"")).collect();
    edited(
        EXPERIMENT,
        &[
            ("[\"one\", \"two\"]", &format!("[{}]", prompts.join(", "))),
            ("[prompts]", &format!("{hypothesis}\n[sequential]\n{settings}\n\n[prompts]")),
        ],
    )
}

fn sequence(settings: &str) -> Sequence {
    let experiment = looked_at(settings);
    Design::new(&experiment, &plan(&experiment)).sequential.expect("it is sequential")
}

#[test]
fn the_order_of_prompts_hangs_on_their_texts_and_the_seed() {
    let order = sequence("").order;
    assert_eq!(order.iter().sorted().count(), 12);
    assert_ne!(order.iter().sorted().collect_vec(), order.iter().collect_vec(), "an order is not that of the file");
    assert_eq!(sequence("").order, order);
    assert_ne!(sequence("order_seed = 1").order, order);
    // Fewer are the first of them, and only they are planned.
    assert_eq!(sequence("max_prompts = 5").order, order[..5]);
    let planned = plan(&looked_at("max_prompts = 5"));
    let prompts: HashSet<_> = planned.trials().map(|trial| trial.prompt.clone()).collect();
    assert_eq!(prompts, order[..5].iter().cloned().collect());
}

#[test]
fn a_part_has_the_texts_that_a_width_wants_together() {
    let parts = |width| sequence("").parts(Needs { n_loads: 2, n_texts: 48, least: 3, width });
    assert_eq!(parts(1), [0..3, 3..7, 7..11, 11..12]);
    assert_eq!(parts(5), [0..5, 5..12], "two are too few for a part");
    assert_eq!(parts(32), vec![0..12; 1]);
    assert_eq!(plan(&looked_at("")).needs(48, 3).width, 1);
}

#[test]
fn parts_are_all_prompts_and_few_where_each_loads_several_models() {
    let sequence = sequence("");
    let parts = |n_loads, n_texts, least| sequence.parts(Needs { n_loads, n_texts, least, width: 1 });
    // 16 texts a prompt, and four.
    assert_eq!(parts(1, 192, 6), [0..6, 6..7, 7..8, 8..9, 9..10, 10..11, 11..12]);
    assert_eq!(parts(1, 48, 3), [0..3, 3..7, 7..11, 11..12]);
    assert_eq!(parts(4, 192, 6), [0..6, 6..8, 8..10, 10..12]);
    assert_eq!(parts(4, 48, 6), [0..6, 6..10, 10..12]);
    assert_eq!(parts(4, 192, 100), vec![0..12; 1]);
    let experiment = looked_at("");
    let whole = plan(&experiment);
    let parts = parts(4, 192, 6).into_iter().map(|part| whole.of_prompts(&sequence.order[part]));
    let trials = |plan: &Plan| plan.trials().map(|trial| trial.id.clone()).collect_vec();
    let together: HashSet<_> = parts.flat_map(|part| trials(&part)).collect();
    assert_eq!(together, trials(&whole).into_iter().collect());
}

#[test]
fn a_design_without_looks_is_as_it_was() {
    let text = |design: &Design| String::from_utf8(design.to_json()).expect("UTF-8");
    let experiment = experiment(EXPERIMENT);
    assert!(!text(&Design::new(&experiment, &plan(&experiment))).contains("sequential"));
    let experiment = looked_at("order_seed = 3");
    let design = Design::new(&experiment, &plan(&experiment));
    let (read, seal) = Design::from_json(&design.to_json(), Trust::Seals).expect("it reads back");
    assert_eq!((read, seal), (design, Seal::Whole));
}
