// SPDX-License-Identifier: MIT OR Apache-2.0
use super::*;

fn config(temperature: f32) -> SamplingConfig {
    SamplingConfig { temperature, ..SamplingConfig::default() }
}

fn draws(config: SamplingConfig, logits: &[f32], n: usize) -> Vec<u32> {
    let mut sampler = Sampler::new(config).unwrap();
    (0..n).map(|_| sampler.sample(logits).unwrap()).collect()
}

fn kept(logits: &[f32], config: SamplingConfig) -> Vec<u32> {
    let all = (0..).zip(logits).map(|(id, &logit)| Candidate { id, logit }).collect();
    keep(all, &config).iter().map(|c| c.id).collect()
}

#[test]
fn greedy_takes_the_lowest_of_equals_and_skips_nan() {
    assert_eq!(draws(config(0.0), &[1.0, f32::NAN, 3.0, 3.0], 2), [2, 2]);
    assert_eq!(greedy(&[f32::NAN, -0.0, 0.0]), Some(1));
    assert_eq!(greedy(&[f32::NEG_INFINITY; 3]), Some(0));
    assert_eq!((greedy(&[]), greedy(&[f32::NAN])), (None, None));
}

#[test]
fn top_k_keeps_k_with_ties_by_id() {
    let logits = [1.0, 2.0, 2.0, 0.0, 2.0];
    assert_eq!(kept(&logits, SamplingConfig { top_k: 2, ..config(1.0) }), [1, 2]);
    assert_eq!(kept(&logits, SamplingConfig { top_k: 0, ..config(1.0) }), [1, 2, 4, 0, 3]);
    assert_eq!(kept(&logits, SamplingConfig { top_k: 99, ..config(1.0) }).len(), 5);
    assert!(draws(SamplingConfig { top_k: 1, ..config(5.0) }, &logits, 50).iter().all(|&id| id == 1));
}

#[test]
fn top_p_keeps_the_fewest_that_reach_it() {
    let logits = [0.5f32, 0.3, 0.15, 0.05].map(f32::ln);
    let with = |top_p| kept(&logits, SamplingConfig { top_p, ..config(1.0) });
    assert_eq!(with(0.4), [0]);
    assert_eq!(with(0.79), [0, 1]);
    assert_eq!(with(0.81), [0, 1, 2]);
    assert_eq!(with(1.0).len(), 4);
    assert_eq!(with(1e-9), [0]);
}

#[test]
fn min_p_is_relative_to_the_most_likely() {
    let logits = [0.5f32, 0.3, 0.15, 0.05].map(f32::ln);
    let with = |min_p| kept(&logits, SamplingConfig { min_p, ..config(1.0) });
    assert_eq!(with(0.59), [0, 1]);
    assert_eq!(with(0.61), [0]);
    assert_eq!(with(1.0), [0]);
    assert_eq!(with(0.0).len(), 4);
}

#[test]
fn the_penalty_acts_on_the_window_only() {
    let base = SamplingConfig { repeat_penalty: 2.0, repeat_window: 2, ..config(0.0) };
    let mut sampler = Sampler::new(base.clone()).unwrap();
    sampler.observe(&[0, 0, 1]);
    let logits: Vec<f32> = sampler.penalised(&[4.0, -4.0, 3.0]).iter().map(|c| c.logit).collect();
    assert_eq!(logits, [2.0, -8.0, 3.0]);
    // 0 is chosen, penalised, and comes back when the window has passed it.
    assert_eq!(draws(base, &[4.0, 3.9, 3.8], 4), [0, 1, 2, 0]);
    let off = SamplingConfig { repeat_penalty: 9.0, repeat_window: 0, ..config(0.0) };
    assert_eq!(draws(off, &[4.0, 3.9], 3), [0, 0, 0]);
    let mut sampler = Sampler::new(config(0.0)).unwrap();
    sampler.observe(&[1000]); // a token past the logits is ignored
    assert_eq!(sampler.sample(&[1.0]), Ok(0));
}

#[test]
fn frequencies_follow_the_probabilities() {
    let logits = [0.6f32, 0.3, 0.1].map(f32::ln);
    let ids = draws(SamplingConfig { seed: 7, ..config(1.0) }, &logits, 20_000);
    for (id, wanted) in [0.6, 0.3, 0.1].into_iter().enumerate() {
        let share = ids.iter().filter(|&&i| i as usize == id).count() as f64 / 20_000.0;
        assert!((share - wanted).abs() < 0.02, "{id}: {share}");
    }
    let cold = draws(SamplingConfig { seed: 7, ..config(0.25) }, &logits, 2_000);
    assert!(cold.iter().filter(|&&i| i == 0).count() > 1_800);
}

#[test]
fn a_seed_gives_the_same_tokens_for_ever() {
    let logits: Vec<f32> = (0..50).map(|i| (i as f32 * 0.7).sin()).collect();
    let with = |seed| draws(SamplingConfig { seed, ..config(0.8) }, &logits, 8);
    assert_eq!(with(1), with(1));
    assert_ne!(with(1), with(2));
    let mut rng = Rng::new(0);
    // The reference values of splitmix64 from 0, and of xoshiro256++ seeded by it.
    assert_eq!(rng.state[0], 0xe220_a839_7b1d_cdaf);
    assert_eq!(rng.next(), 0x5317_5d61_490b_23df);
    assert!((0..1000).all(|_| (0.0..1.0).contains(&rng.unit())));
}

#[test]
fn extreme_logits_are_no_trouble() {
    assert!(draws(config(1.0), &[f32::INFINITY, 1.0, f32::INFINITY], 20).iter().all(|&i| i != 1));
    assert!(draws(config(1.0), &[f32::NEG_INFINITY; 3], 5).iter().all(|&i| i < 3));
    assert_eq!(draws(config(1e-30), &[1.0, 2.0], 5), [1; 5]);
    assert!(draws(config(1.0), &[f32::MAX, f32::MIN], 5).iter().all(|&i| i == 0));
    let mut sampler = Sampler::new(config(1.0)).unwrap();
    assert_eq!(sampler.sample(&[]), Err(SamplingError::NoLogits { count: 0 }));
    assert_eq!(sampler.sample(&[f32::NAN]), Err(SamplingError::NoLogits { count: 1 }));
}

#[test]
fn fields_out_of_range_are_named() {
    let bad = [
        (SamplingConfig { temperature: -1.0, ..config(0.0) }, "temperature"),
        (SamplingConfig { temperature: f32::NAN, ..config(0.0) }, "temperature"),
        (SamplingConfig { top_p: 0.0, ..config(0.0) }, "top_p"),
        (SamplingConfig { min_p: 1.5, ..config(0.0) }, "min_p"),
        (SamplingConfig { repeat_penalty: 0.0, ..config(0.0) }, "repeat_penalty"),
    ];
    for (config, field) in bad {
        let error = Sampler::new(config).unwrap_err().to_string();
        assert!(error.contains(field) && error.contains("legal"), "{error}");
    }
}
