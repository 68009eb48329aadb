// SPDX-License-Identifier: MIT OR Apache-2.0
//! SmolLM2-135M, if it was fetched (`heddle infer --model smollm2` does it), or with `HEDDLE_TEST_FETCH=1`.

mod decoder_support;

use std::sync::Arc;

use decoder_support::{Npz, argmax, decoder, greedy};
use heddle::compile::compile;
use heddle::decoder::Decoder;
use heddle::driver::Driver;
use heddle::driver::sim::{Sim, build};
use heddle::model::fetch::{Fetcher, named};
use heddle::model::gguf::Gguf;
use heddle::model::tokenizer::{EncodeOptions, Tokenizer};
use heddle_core::config::Config;
use heddle_core::numerics::F24;
use heddle_tb::tools::have_verilator;
use heddle_tb::verilator::BuildOptions;

const PROMPT: &str = "The capital of France is";

fn smollm2() -> Option<Arc<Gguf>> {
    let fetcher = Fetcher::from_env().unwrap();
    let model = named("smollm2").unwrap();
    let path = match std::env::var_os("HEDDLE_TEST_FETCH") {
        Some(_) => Some(fetcher.fetch(model, &mut |_| ()).unwrap()),
        None => fetcher.cached(model),
    };
    match path {
        Some(path) => Some(Arc::new(Gguf::open(path).unwrap())),
        None => {
            println!("skipped: SmolLM2 was not fetched; set HEDDLE_TEST_FETCH=1 to fetch it");
            None
        }
    }
}

#[test]
fn greedy_text_is_english() {
    let Some(gguf) = smollm2() else { return };
    let tokenizer = Tokenizer::from_gguf(&gguf).unwrap();
    let prompt = tokenizer.encode(PROMPT, EncodeOptions::PROMPT);
    let text = tokenizer.decode(&greedy(&mut decoder(&gguf, &Config::base()), &prompt, 8));
    println!("{PROMPT}{text}");
    assert!(text.starts_with(" Paris."), "{text}");
}

#[test]
fn most_likely_tokens_agree_with_llama_cpp() {
    let (Some(gguf), Some(mut golden)) = (smollm2(), Npz::open("golden/SmolLM2-135M-Instruct.Q4_1.top20.npz")) else { return };
    let (ids, top) = (golden.ids("ids"), golden.ids("top_ids"));
    let logits = decoder(&gguf, &Config::base()).logits_of_each(&ids).unwrap();
    let logits: Vec<f32> = logits.into_iter().map(F24::to_f32).collect();
    let ours = logits.chunks(logits.len() / ids.len()).map(|x| argmax(x) as u32);
    let agree = ours.zip(top.chunks(20)).filter(|(ours, top)| *ours == top[0]).count();
    println!("top-1 {agree} of {}", ids.len());
    assert!(agree * 100 >= ids.len() * 95, "{agree} of {}", ids.len());
}

/// Some 100 million cycles.
#[test]
fn eight_tokens_in_simulation_equal_golden() {
    let Some(gguf) = smollm2() else { return };
    if !have_verilator("eight_tokens_in_simulation_equal_golden") {
        return;
    }
    let config = Config::base();
    let library = build(&config, &BuildOptions::default(), &mut |_| {}).unwrap();
    let driver = Driver::connect(Box::new(Sim::new(&library, &config).unwrap()), &config).unwrap();
    let mut sim = Decoder::new(&compile(&gguf, &config).unwrap(), driver).unwrap();
    let prompt = Tokenizer::from_gguf(&gguf).unwrap().encode(PROMPT, EncodeOptions::PROMPT);
    assert_eq!(greedy(&mut sim, &prompt, 8), greedy(&mut decoder(&gguf, &config), &prompt, 8));
}
