// SPDX-License-Identifier: MIT OR Apache-2.0
//! The floating-point decoder against llama.cpp's logits.

mod decoder_support;

use decoder_support::{Npz, argmax, shared};
use heddle::reference::{Reference, ReferenceError};

/// Largest difference of a logit, and how many of the most likely tokens agree.
fn distance(model: &str, golden: &str) -> Option<(f32, usize, usize)> {
    let (gguf, mut golden) = (shared(model)?, Npz::open(golden)?);
    let (ids, want) = (golden.ids("ids"), golden.floats("logits"));
    let reference = Reference::from_gguf(&gguf).unwrap();
    let got = reference.logits(&ids).unwrap();
    assert_eq!(got.len(), want.len());
    let largest = got.iter().zip(&want).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    let vocab = reference.spec().vocab;
    let agree = got.chunks(vocab).zip(want.chunks(vocab)).filter(|(a, b)| argmax(a) == argmax(b)).count();
    Some((largest, agree, ids.len()))
}

#[test]
fn full_precision_equals_llama_cpp() {
    for (model, golden, tolerance) in [
        ("stories260K/stories260K-h192-F32.gguf", "golden/stories260K-h192-F32.npz", 2e-4),
        ("nano/nano-shakespeare-f16.gguf", "golden/nano-shakespeare-f16.npz", 2e-2),
    ] {
        let Some((largest, agree, all)) = distance(model, golden) else { return };
        println!("{model}: largest difference {largest:.2e}, top-1 {agree}/{all}");
        assert!(largest < tolerance, "{model}: {largest}");
        assert_eq!(agree, all);
    }
}

#[test]
fn quantised_weights_stay_close_to_llama_cpp_with_quantised_activations() {
    for ty in ["Q8_0", "Q5_0", "Q4_1", "Q4_0"] {
        let model = format!("stories260K/stories260K-h192-{ty}.gguf");
        let Some((largest, agree, all)) = distance(&model, &format!("golden/stories260K-h192-{ty}.npz")) else { return };
        println!("{ty}: largest difference {largest:.2e}, top-1 {agree}/{all}");
        assert!(agree * 100 >= all * 95, "{ty}: {agree}/{all}");
    }
}

#[test]
fn the_unpadded_model_runs_and_equals_the_padded_one() {
    let (Some(padded), Some(unpadded)) = (shared("stories260K/stories260K-h192-F32.gguf"), shared("stories260K/stories260K-h172-F32.gguf"))
    else {
        return;
    };
    let logits = |gguf| Reference::from_gguf(gguf).unwrap().logits(&[1, 403, 407, 261, 378]).unwrap();
    for (a, b) in logits(&padded).iter().zip(logits(&unpadded)) {
        assert!((a - b).abs() < 1e-4);
    }
}

#[test]
fn tokens_past_the_vocabulary_are_refused() {
    let gguf = heddle::model::gguf::Gguf::from_static(heddle::model::embedded::embedded("nano").unwrap()).unwrap();
    let error = Reference::from_gguf(&gguf).unwrap().logits(&[1, 512]).unwrap_err();
    assert!(matches!(error, ReferenceError::Token { id: 512, vocab: 512 }));
}
