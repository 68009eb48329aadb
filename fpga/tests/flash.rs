// SPDX-License-Identifier: MIT OR Apache-2.0
//! The real openFPGALoader writes to a model of an ECP5, on loopback; and what it says when there is no board.

mod tap;

use heddle_fpga::board::Board;
use heddle_fpga::flash::{Cable, FlashError, Found, Job, Target, detect};
use heddle_tools::{Program, find_pinned, have_pinned, make_script};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tap::{Ecp5, xvc};

const LFE5U_85: u32 = 0x4111_3043;
const LFE5U_25: u32 = 0x4111_1043;

fn loader(test: &str) -> Option<Program> {
    have_pinned(test, &["openFPGALoader"]).then(|| find_pinned("openFPGALoader").expect("it was found"))
}

fn ulx3s() -> Board {
    Board::named("ulx3s").expect("a board")
}

fn device(idcode: u32) -> (Arc<Mutex<Ecp5>>, Cable) {
    let device = Arc::new(Mutex::new(Ecp5::new(idcode)));
    let cable = Cable::Xvc(xvc::serve(device.clone()));
    (device, cable)
}

/// A bitstream as ecppack writes it, but for its frames: comment, preamble, check of the id code, data, end.
fn bitstream(dir: &Path, part: &str, idcode: u32) -> PathBuf {
    let mut bytes = vec![0xff, 0x00];
    bytes.extend(format!("Part: {part}\0").as_bytes());
    bytes.extend([0xff, 0xff, 0xff, 0xbd, 0xb3, 0xff, 0xff, 0xff, 0xff, 0x3b, 0, 0, 0, 0xe2, 0, 0, 0]);
    bytes.extend(idcode.to_be_bytes());
    bytes.extend([0x22, 0, 0, 0, 0x40, 0, 0, 0, 0x46, 0, 0, 0, 0x82, 0x91, 0, 0]);
    bytes.extend((0..5000u32).map(|i| ((i * i) >> 3) as u8));
    bytes.extend([0xff, 0xff, 0xff, 0xff, 0x5e, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
    let path = dir.join("top.bit");
    std::fs::write(&path, bytes).expect("a file");
    path
}

fn job(bitstream: PathBuf, target: Target, cable: Cable, verify: bool) -> Job {
    Job { board: ulx3s(), bitstream, target, cable, verify }
}

#[test]
fn the_device_is_detected() {
    let Some(loader) = loader("the_device_is_detected") else { return };
    let (_, cable) = device(LFE5U_85);
    assert_eq!(detect(&loader, &ulx3s(), cable).unwrap(), [Found { idcode: LFE5U_85, model: "LFE5U-85".into() }]);
}

#[test]
fn a_bitstream_reaches_the_device() {
    let Some(loader) = loader("a_bitstream_reaches_the_device") else { return };
    let dir = tempfile::tempdir().unwrap();
    let path = bitstream(dir.path(), "LFE5U-85F-6CABGA381", LFE5U_85);
    let (device, cable) = device(LFE5U_85);
    job(path.clone(), Target::Sram, cable, false).run(&loader).unwrap_or_else(|e| panic!("{e}"));
    let device = device.lock().unwrap();
    let file = std::fs::read(path).unwrap();
    assert!(device.is_done());
    let at = file.windows(4).position(|w| w == [0xff, 0xff, 0xbd, 0xb3]).unwrap();
    assert!(device.loaded.ends_with(&file[at..]), "{} bytes of {}", device.loaded.len(), file.len());
}

#[test]
fn a_bitstream_reaches_the_flash_and_is_verified() {
    let Some(loader) = loader("a_bitstream_reaches_the_flash_and_is_verified") else { return };
    let dir = tempfile::tempdir().unwrap();
    let path = bitstream(dir.path(), "LFE5U-85F-6CABGA381", LFE5U_85);
    let (device, cable) = device(LFE5U_85);
    job(path.clone(), Target::Flash, cable, true).run(&loader).unwrap_or_else(|e| panic!("{e}"));
    let file = std::fs::read(path).unwrap();
    let at = file.windows(4).position(|w| w == [0xff, 0xff, 0xbd, 0xb3]).unwrap();
    let device = device.lock().unwrap();
    let found = device.flash.memory.windows(64).position(|w| w == &file[at..at + 64]).expect("the bitstream is in the flash");
    assert_eq!(device.flash.memory[found..][..file.len() - at], file[at..]);
}

#[test]
fn a_defect_of_the_flash_is_found() {
    let Some(loader) = loader("a_defect_of_the_flash_is_found") else { return };
    let dir = tempfile::tempdir().unwrap();
    let path = bitstream(dir.path(), "LFE5U-85F-6CABGA381", LFE5U_85);
    let (device, cable) = device(LFE5U_85);
    device.lock().unwrap().flash.defect = 1001;
    let error = job(path, Target::Flash, cable, true).run(&loader).unwrap_err();
    assert!(matches!(error, FlashError::Verify { .. }), "{error}");
}

#[test]
fn another_device_is_refused_before_anything_is_written() {
    let Some(loader) = loader("another_device_is_refused_before_anything_is_written") else { return };
    let dir = tempfile::tempdir().unwrap();
    let path = bitstream(dir.path(), "LFE5U-85F-6CABGA381", LFE5U_85);
    let (device, cable) = device(LFE5U_25);
    let error = job(path, Target::Sram, cable, false).run(&loader).unwrap_err();
    let text = "this is not Radiona ULX3S-85F: a LFE5U-25 with id code 0x41111043 answers, wanted 0x41113043";
    assert_eq!(error.to_string(), text);
    assert!(device.lock().unwrap().loaded.is_empty());
}

#[test]
fn a_missing_cable_is_told() {
    let Some(loader) = loader("a_missing_cable_is_told") else { return };
    let error = detect(&loader, &ulx3s(), Cable::Board).unwrap_err();
    assert!(matches!(&error, FlashError::NoCable { usb, .. } if usb == "0403:6015"), "{error}");
    let error = detect(&loader, &Board::named("icebreaker").unwrap(), Cable::Board).unwrap_err();
    assert!(matches!(&error, FlashError::NoCable { usb, .. } if usb == "0403:6010"), "{error}");
    let error = detect(&loader, &Board::named("colorlight-i5").unwrap(), Cable::Board).unwrap_err();
    assert!(matches!(&error, FlashError::Unsupported { said, .. } if said.contains("cmsisdap")), "{error}");
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = detect(&loader, &ulx3s(), Cable::Xvc(nobody)).unwrap_err();
    assert!(matches!(error, FlashError::NoServer { .. }), "{error}");
}

#[test]
fn bitstreams_are_looked_at_first() {
    let dir = tempfile::tempdir().unwrap();
    let check = |path: PathBuf, target, verify| job(path, target, Cable::Board, verify).check().map_err(|e| e.to_string());
    let other = bitstream(dir.path(), "LFE5U-25F-6CABGA381", LFE5U_25);
    let said = check(other, Target::Sram, false).unwrap_err();
    assert!(said.contains("is for LFE5U-25F-6CABGA381; Radiona ULX3S-85F has an LFE5U-85F"), "{said}");
    let good = bitstream(dir.path(), "LFE5U-85F-6CABGA381", LFE5U_85);
    assert_eq!(check(good.clone(), Target::Flash, true), Ok(()));
    assert!(check(good, Target::Sram, true).unwrap_err().contains("--verify reads a flash back"));
    let of_ice40 = |length: usize| {
        let path = dir.path().join("ice40.bin");
        std::fs::write(&path, [&[0xff, 0, 0, 0xff, 0x7e, 0xaa, 0x99, 0x7e][..], &vec![0; length - 8]].concat()).unwrap();
        let board = Board::named("icebreaker").unwrap();
        Job { board, bitstream: path, target: Target::Flash, cable: Cable::Board, verify: true }.check().map_err(|e| e.to_string())
    };
    assert_eq!(of_ice40(104_090), Ok(()));
    assert!(of_ice40(135_100).unwrap_err().contains("for an iCE40 lp8k; 1BitSquared iCEBreaker has up5k"));
    let text = dir.path().join("readme.txt");
    std::fs::write(&text, "not a bitstream").unwrap();
    assert!(check(text, Target::Sram, false).unwrap_err().contains("has no preamble"));
    assert!(check(dir.path().join("none.bit"), Target::Sram, false).unwrap_err().contains("cannot be read"));
}

/// A loader that fails with these words, as the real one does where there is a board and something is wrong.
#[cfg(unix)]
#[test]
fn what_the_cable_says_is_told_with_its_fix() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("openFPGALoader");
    let said = |words: &str| {
        make_script(&path, &format!("#!/bin/sh\necho '{words}' >&2\nexit 1\n")).unwrap();
        detect(&Program::at(&path, "1.1.1"), &ulx3s(), Cable::Board).unwrap_err().to_string()
    };
    let permission = said("unable to open ftdi device: -4 (unable to open device)");
    let rule = r#"SUBSYSTEM=="usb", ATTRS{idVendor}=="0403", ATTRS{idProduct}=="6015", MODE="0660", TAG+="uaccess""#;
    assert!(permission.contains(rule) && permission.contains("udevadm control --reload-rules"), "{permission}");
    assert!(said("unable to open ftdi device: -5 (unable to claim device)").contains("in use by another program"));
    assert!(said("TDO is stuck at 1").contains("no device behind it: TDO is stuck at 1"));
    assert!(said("something else").contains("openFPGALoader failed: something else"));
    std::fs::remove_file(&path).unwrap();
    let error = detect(&Program::at(&path, "1.1.1"), &ulx3s(), Cable::Board).unwrap_err();
    assert!(matches!(error, FlashError::NotRun { .. }), "{error}");
}
