// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files that are cut short, damaged or made to harm: each is refused with a message that says what to do.

use heddle::model::gguf::{GgmlType, Gguf, GgufError, GgufWriter, Value, ValueType};
use heddle::model::tokenizer::{EncodeOptions, Tokenizer};

/// A legal file with one tensor of two rows of 32.
fn writer() -> GgufWriter {
    let mut w = GgufWriter::new();
    w.str("general.architecture", "llama").u32("a.size", 7).f32("a.share", 0.5).bool("a.flag", true);
    w.strings("a.words", &["one", "", "three"]).f32s("a.scores", &[1.0, -2.0]).i32s("a.ids", &[-1, 5]);
    w.tensor("t", &[32, 2], GgmlType::Q4_0, (0..36).collect());
    w
}

fn refused(bytes: Vec<u8>) -> GgufError {
    match Gguf::from_bytes(bytes) {
        Ok(_) => panic!("the file was accepted"),
        Err(error) => error,
    }
}

/// Checks that the message of the error has these parts.
#[track_caller]
fn says(error: GgufError, parts: &[&str]) {
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in: {text}");
    }
}

#[test]
fn a_legal_file_is_read() {
    for version in [2, 3] {
        let mut w = writer();
        w.version = version;
        let gguf = Gguf::from_bytes(w.finish()).unwrap();
        assert_eq!(gguf.version(), version);
        assert_eq!(gguf.keys().count(), 7);
        assert_eq!(gguf.str("general.architecture").unwrap(), "llama");
        assert_eq!((gguf.u32("a.size").unwrap(), gguf.f32("a.share").unwrap()), (7, 0.5));
        assert!(gguf.bool("a.flag").unwrap() && gguf.bool_or("a.absent", true).unwrap());
        let words = gguf.array("a.words").unwrap();
        assert_eq!(words.strings().unwrap().collect::<Vec<_>>(), [&b"one"[..], b"", b"three"]);
        let ids: Vec<_> = gguf.array("a.ids").unwrap().iter().map(|v| v.as_i64()).collect();
        assert_eq!(ids, [Some(-1), Some(5)]);
        let t = gguf.tensor("t").unwrap();
        assert_eq!((t.rows(), t.row_weights(), t.data), (2, 32, &(0..36).collect::<Vec<u8>>()[..]));
    }
}

#[test]
fn wrong_types_and_absent_keys_are_named() {
    let gguf = Gguf::from_bytes(writer().finish()).unwrap();
    says(gguf.u32("a.absent").unwrap_err(), &["a.absent", "missing"]);
    says(gguf.u32("a.share").unwrap_err(), &["a.share", "0.5", "unsigned integer"]);
    says(gguf.str("a.words").unwrap_err(), &["a.words", "an array of 3 x String", "a string"]);
    says(gguf.u32_or("a.flag", 1).unwrap_err(), &["a.flag", "true"]);
    says(gguf.tensor("u").unwrap_err(), &["`u`", "missing"]);
}

#[test]
fn every_cut_is_refused() {
    let whole = writer().finish();
    let needed = whole.len() - 28; // the tensor has 36 bytes, padded to 64
    for len in 0..needed {
        says(refused(whole[..len].to_vec()), &["again"]);
    }
    assert!(Gguf::from_bytes(whole[..needed].to_vec()).is_ok());
}

#[test]
fn an_oversized_file_is_refused() {
    let whole = writer().finish();
    assert!(Gguf::from_bytes([whole.clone(), vec![0; 4]].concat()).is_ok()); // padding
    says(refused([whole.clone(), vec![0; 33]].concat()), &["ends at byte 36", "97 bytes", "fetch it again"]);
    says(refused(whole.repeat(2)), &["ends at byte 36"]);
    // A file of 2^44 bytes without content: mapped, not read.
    let path = std::env::temp_dir().join(format!("heddle-oversized-{}.gguf", std::process::id()));
    std::fs::write(&path, &whole).unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    let grown = [44, 40, 36].iter().any(|&bits| file.set_len(1 << bits).is_ok());
    let error = Gguf::open(&path).err();
    std::fs::remove_file(&path).unwrap();
    assert!(grown);
    says(error.unwrap(), &["ends at byte 36", "fetch it again"]);
}

/// A vocabulary of texts that are empty, double or made from each other in a circle.
fn hostile_vocabulary(model: &str, first_score: f32) -> Gguf {
    let texts = ["", "", "<unk>", "\u{2581}", "a", "b", "aa", "ab", "ba", "aa", "aba"];
    let merges = ["a b", "b a", "ab a", "a ba", "aba ab", "a a", "aa aa", "a a", " a", "a ", "  ", "", " ", "aaaa  "];
    let scores = [first_score, 9.0, 0.0, f32::MIN, -1.0, -1.0, f32::MAX, 9.0, 9.0, -0.0, 9.0];
    let mut w = GgufWriter::new();
    w.str("general.architecture", "llama").str("tokenizer.ggml.model", model).str("tokenizer.ggml.pre", "smollm");
    w.strings("tokenizer.ggml.tokens", &texts).strings("tokenizer.ggml.merges", &merges).f32s("tokenizer.ggml.scores", &scores);
    Gguf::from_bytes(w.finish()).unwrap()
}

#[test]
fn hostile_vocabularies_do_no_harm() {
    let mut used = 0;
    for model in ["llama", "gpt2"] {
        match Tokenizer::from_gguf(&hostile_vocabulary(model, f32::INFINITY)) {
            Ok(tokenizer) => {
                used += 1;
                for text in ["", "a", "ab", &"ab".repeat(2000), &"a".repeat(5000), "a b  ba", "\u{2581}"] {
                    let ids = tokenizer.encode(text, EncodeOptions::PROMPT);
                    assert!(ids.iter().all(|&id| id < 11), "{model}: {text}");
                    tokenizer.decode(&ids);
                }
            }
            Err(error) => assert!(error.to_string().contains("merge"), "{model}: {error}"),
        }
    }
    assert!(used > 0);
    let error = Tokenizer::from_gguf(&hostile_vocabulary("llama", f32::NAN)).err().unwrap().to_string();
    assert!(error.contains("the score of token 0 is not a number"), "{error}");
}

#[test]
fn files_of_another_kind_are_recognised() {
    says(refused(vec![]), &["is empty"]);
    says(refused(b"version https://git-lfs.github.com/spec/v1".to_vec()), &["git lfs pull"]);
    says(refused(b"<!DOCTYPE html>".to_vec()), &["web page"]);
    says(refused(b"PK\x03\x04....".to_vec()), &["zip archive"]);
    says(refused(b"tjgg....".to_vec()), &["older than GGUF"]);
    says(refused(b"\x50\0\0\0\0\0\0\0{\"__metadata__\"".to_vec()), &["safetensors"]);
    says(refused(vec![0x7f, b'E', b'L', b'F', 2]), &["[7f, 45, 4c, 46]", ".gguf"]);
    says(refused(b"GGUF\x01\0\0\0\0\0\0\0\0\0\0\0".to_vec()), &["version 1 ", "2 and 3"]);
    says(refused(b"GGUF\0\0\0\x03\0\0\0\0\0\0\0\0".to_vec()), &["big-endian"]);
    let directory = std::env::temp_dir();
    says(Gguf::open(&directory).err().unwrap(), &["not a regular file"]);
    says(Gguf::open(directory.join("absent.gguf")).err().unwrap(), &["absent.gguf"]);
}

#[test]
fn huge_counts_are_refused_without_memory() {
    let mut bytes = writer().finish();
    bytes[8..16].fill(0xff);
    says(refused(bytes), &["18446744073709551615 tensors"]);
    let mut bytes = writer().finish();
    bytes[16..24].copy_from_slice(&(1u64 << 40).to_le_bytes());
    says(refused(bytes), &["1099511627776 metadata values"]);
    let head = |ty: ValueType, len: u64| [&(ty as u32).to_le_bytes()[..], &len.to_le_bytes()].concat();
    for (ty, len) in [(ValueType::U8, u64::MAX), (ValueType::F64, 1 << 61), (ValueType::String, u64::MAX)] {
        let mut w = writer();
        w.raw("a.many", ValueType::Array as u32, &head(ty, len));
        says(refused(w.finish()), &["ends inside"]);
    }
}

#[test]
fn lengths_of_strings_and_names_are_checked() {
    let mut w = writer();
    w.raw("a.long", ValueType::String as u32, &u64::MAX.to_le_bytes());
    says(refused(w.finish()), &["ends inside a.long", "18446744073709551615 bytes"]);
    let mut w = writer();
    w.u32("", 1);
    says(refused(w.finish()), &["a metadata key", "0 bytes long"]);
    let mut w = writer();
    w.tensor(&"n".repeat(65), &[32], GgmlType::F32, vec![0; 128]);
    says(refused(w.finish()), &["a tensor name", "65 bytes long", "1 to 64"]);
    let mut bytes = writer().finish();
    bytes[32] = 0xff; // the first letter of the first key
    says(refused(bytes), &["not UTF-8"]);
}

#[test]
fn values_are_checked() {
    let mut w = writer();
    w.raw("a.odd", 13, &[0; 8]);
    says(refused(w.finish()), &["a.odd", "type number 13"]);
    let mut w = writer();
    w.raw("a.maybe", ValueType::Bool as u32, &[2]);
    says(refused(w.finish()), &["a.maybe", "value 2"]);
    let mut w = writer();
    w.u32("a.size", 8);
    says(refused(w.finish()), &["a.size", "twice"]);
}

#[test]
fn arrays_in_arrays_end_somewhere() {
    let nested = |depth: usize| {
        let level = [&(ValueType::Array as u32).to_le_bytes()[..], &1u64.to_le_bytes()].concat();
        let inner = [&(ValueType::U8 as u32).to_le_bytes()[..], &1u64.to_le_bytes(), &[9]].concat();
        let mut w = writer();
        w.raw("a.deep", ValueType::Array as u32, &[level.repeat(depth - 1), inner].concat());
        w.finish()
    };
    let gguf = Gguf::from_bytes(nested(4)).unwrap();
    let mut value = gguf.meta("a.deep").unwrap();
    for _ in 0..4 {
        value = value.as_array().unwrap().iter().next().unwrap();
    }
    assert_eq!(value, Value::U8(9));
    says(refused(nested(5)), &["a.deep", "more than 4 deep"]);
    says(refused(nested(10_000)), &["a.deep", "more than 4 deep"]);
}

#[test]
fn alignment_is_checked_and_kept() {
    for alignment in [0, 3, 1 << 21] {
        let mut w = writer();
        w.u32("general.alignment", alignment);
        says(refused(w.finish()), &["general.alignment", "power of two"]);
    }
    let mut w = writer();
    w.str("general.alignment", "wide");
    says(refused(w.finish()), &["general.alignment", "unsigned integer"]);
    let mut w = writer();
    w.u32("general.alignment", 256);
    w.alignment = 256;
    w.tensor("u", &[1], GgmlType::F32, vec![1, 2, 3, 4]);
    let gguf = Gguf::from_bytes(w.finish()).unwrap();
    assert_eq!(gguf.tensor("u").unwrap().data, [1, 2, 3, 4]);
}

#[test]
fn tensors_are_checked() {
    let with = |name: &str, dims: &[u64], type_id: u32, offset: Option<u64>, bytes: usize| {
        let mut w = writer();
        w.raw_tensor(name, dims, type_id, offset, vec![0; bytes]);
        w.finish()
    };
    says(refused(with("t", &[32], 0, None, 128)), &["`t`", "twice"]);
    says(refused(with("u", &[], 0, None, 0)), &["`u`", "0 dimensions"]);
    says(refused(with("u", &[1; 5], 0, None, 4)), &["`u`", "5 dimensions"]);
    says(refused(with("u", &[4, 0], 0, None, 0)), &["`u`", "[4, 0]"]);
    says(refused(with("u", &[1 << 40, 1 << 40], 0, None, 0)), &["`u`", "overflows"]);
    says(refused(with("u", &[32], 99, None, 18)), &["`u`", "type number 99", "Q8_0"]);
    says(refused(with("u", &[172, 2], 8, None, 400)), &["`u`", "172", "32 weights in a Q8_0 block"]);
    says(refused(with("u", &[4], 0, Some(65), 16)), &["`u`", "65", "alignment 32"]);
    says(refused(with("u", &[4], 0, Some(1 << 20), 16)), &["`u`", "1048576", "data section"]);
    says(refused(with("u", &[4], 0, Some(u64::MAX - 31), 16)), &["`u`", "data section"]);
    says(refused(with("u", &[4], 0, Some(32), 16)), &["`t`", "`u`", "overlap"]);
    says(refused(with("u", &[4], 0, Some(0), 16)), &["overlap"]);
}

#[test]
fn a_mapped_file_reads_as_the_bytes_do_and_errors_name_it() {
    let path = std::env::temp_dir().join(format!("heddle-hostile-{}.gguf", std::process::id()));
    std::fs::write(&path, writer().finish()).unwrap();
    let mapped = Gguf::open(&path).unwrap();
    assert_eq!(mapped.bytes(), writer().finish());
    std::fs::write(&path, &writer().finish()[..100]).unwrap();
    let error = Gguf::open(&path).err().unwrap();
    std::fs::remove_file(&path).unwrap();
    says(error, &[&path.display().to_string(), "cut short"]);
}
