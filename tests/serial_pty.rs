// SPDX-License-Identifier: MIT OR Apache-2.0
//! Boards behind a pseudo-terminal, byte by byte and bit by bit, as a user meets a board: `heddle infer`, its errors, and
//! LiteX's own client.

#![cfg(unix)]

mod cli_support;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::time::Instant;

use heddle::driver::golden::Golden;
use heddle::driver::serial::board::Accelerator;
use heddle::driver::serial::pty::PtyBoard;
use heddle::driver::serial::{SerialTransport, SerialUrl, Tty};
use heddle::driver::sim::{self, Sim};
use heddle::driver::{Driver, Transport};
use heddle_core::config::Config;
use heddle_core::registers::map;
use heddle_fpga::board::{Board, MemoryKind};
use heddle_tb::tools::{have_verilator, reference_file};
use heddle_tb::verilator::BuildOptions;
use serde_json::Value;

fn golden(config: &Config) -> PtyBoard {
    PtyBoard::serve(Accelerator::new(Golden::new(config), config.memory_bytes())).unwrap()
}

fn heddle(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_heddle")).args(args).output().unwrap()
}

fn ids(transport: &str, preset: &str) -> Value {
    ids_of("nano", "KING:", 3, transport, preset)
}

fn ids_of(model: &str, prompt: &str, tokens: u32, transport: &str, preset: &str) -> Value {
    let of_run = ["infer", "--transport", transport, "--preset", preset, "--model", model, "--prompt", prompt];
    let output = heddle(&[&of_run[..], &["--tokens", &tokens.to_string(), "--greedy", "--json"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let run: Value = serde_json::from_slice(&output.stdout).unwrap();
    run["ids"].clone()
}

fn refusal(transport: &str, preset: &str) -> String {
    cli_support::message(heddle(&["infer", "--transport", transport, "--preset", preset, "--tokens", "1"]))
}

#[test]
fn infer_over_a_serial_port_gives_the_same_ids() {
    let board = golden(&Config::small());
    let url = format!("serial:{}@115200", board.path);
    let expected = ids("golden", "small");
    assert_eq!(expected.as_array().unwrap().len(), 3);
    assert_eq!(ids(&url, "small"), expected);
    // Again, on the board that has the image already.
    assert_eq!(ids(&url, "small"), expected);
}

#[test]
fn infer_over_a_serial_port_with_the_verilated_accelerator_behind_it() {
    if !have_verilator("infer_over_a_serial_port_with_the_verilated_accelerator_behind_it") {
        return;
    }
    let config = Config::small();
    let library = sim::build(&config, &BuildOptions::default(), &mut |_| {}).unwrap();
    let sim = Sim::new(&library, &config).unwrap();
    let board = PtyBoard::serve(Accelerator::new(sim, config.memory_bytes())).unwrap();
    assert_eq!(ids(&format!("serial:{}@115200", board.path), "small"), ids("sim", "small"));
}

/// `heddle board run`, stopped when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `heddle board run ulx3s --virtual` with these, and the transport that it prints.
fn virtual_ulx3s(arguments: &[&str]) -> (Running, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heddle"));
    command.args(["board", "run", "ulx3s", "--virtual"]).args(arguments).stdout(Stdio::piped());
    let mut board = Running(command.spawn().unwrap());
    let mut url = String::new();
    BufReader::new(board.0.stdout.take().unwrap()).read_line(&mut url).unwrap();
    (board, url.trim().to_owned())
}

fn path_of(url: &str) -> &str {
    url.strip_prefix("serial:").and_then(|rest| rest.strip_suffix("@9600")).expect("the transport as the first line")
}

/// The ID register, and a block of memory there and back.
fn id_and_a_block(transport: &mut SerialTransport<Tty>) {
    assert_eq!(transport.read_reg(map::ID.offset).unwrap(), map::ID_VALUE);
    let block: Vec<u8> = (0..3000u32).map(|i| (i.wrapping_mul(0x9e37_79b1) >> 24) as u8).collect();
    transport.write_mem(0x1000, &block).unwrap();
    let mut back = vec![0; block.len()];
    transport.read_mem(0x1000, &mut back).unwrap();
    assert!(back == block);
}

#[test]
fn board_run_bit_by_bit_serves_registers_memory_and_infer() {
    if !have_verilator("board_run_bit_by_bit_serves_registers_memory_and_infer") {
        return;
    }
    let (_board, url) = virtual_ulx3s(&["--memory", "block-ram"]);
    let mut transport = SerialTransport::open(&SerialUrl { path: path_of(&url).into(), baud: 9600 }).unwrap();
    id_and_a_block(&mut transport);
    drop(transport);
    let text = refusal(&url, "small");
    assert!(text.contains("its memory ends at or before byte"), "the embedded model is larger than block RAM: {text}");
    let Some(model) = reference_file("stories260K/stories260K-h192-Q4_0.gguf") else { return };
    same_ids(model.to_str().unwrap(), "Once upon", 3, &url);
}

/// So many tokens over the transport as from the simulated accelerator alone and from the golden device.
fn same_ids(model: &str, prompt: &str, tokens: u32, url: &str) {
    let run = |transport: &str| ids_of(model, prompt, tokens, transport, "small");
    let expected = run("sim");
    assert_eq!(expected.as_array().unwrap().len(), tokens as usize);
    assert_eq!(run(url), expected);
    assert_eq!(run("golden"), expected);
}

/// Minutes, so only with `HEDDLE_TEST_FETCH=1`, as what needs the network.
#[test]
fn board_run_bit_by_bit_gives_16_tokens_from_block_ram_and_4_from_sdram() {
    let test = "board_run_bit_by_bit_gives_16_tokens_from_block_ram_and_4_from_sdram";
    if std::env::var_os("HEDDLE_TEST_FETCH").is_none() {
        return println!("skipped: {test} takes minutes; it runs with HEDDLE_TEST_FETCH=1");
    }
    if !have_verilator(test) {
        return;
    }
    match reference_file("stories260K/stories260K-h192-Q8_0.gguf") {
        None => println!("skipped: 16 tokens of stories260K from block RAM"),
        Some(model) => {
            let (_board, url) = virtual_ulx3s(&["--memory", "block-ram"]);
            same_ids(model.to_str().unwrap(), "Once upon", 16, &url);
        }
    }
    let (_board, url) = virtual_ulx3s(&["--memory", "sdram"]);
    same_ids("nano", "KING:", 4, &url);
}

#[test]
fn board_run_byte_by_byte_serves_registers_memory_and_infer() {
    if !have_verilator("board_run_byte_by_byte_serves_registers_memory_and_infer") {
        return;
    }
    let (_board, url) = virtual_ulx3s(&["--bytes", "--memory", "sdram"]);
    let mut transport = SerialTransport::open(&SerialUrl { path: path_of(&url).into(), baud: 9600 }).unwrap();
    id_and_a_block(&mut transport);
    let end = Board::named("ulx3s").unwrap().memory_bytes(MemoryKind::Sdram).unwrap() as u32;
    assert!(transport.write_mem(end, &[1, 2, 3, 4]).is_err(), "past the board's memory");
    drop(transport);
    assert_eq!(ids(&url, "small"), ids("golden", "small"));
}

#[test]
fn hardware_of_another_configuration_is_refused_with_both_digests() {
    let board = golden(&Config::small());
    let text = refusal(&format!("serial:{}@115200", board.path), "base");
    assert!(text.contains(&Config::small().digest_hex()) && text.contains(&Config::base().digest_hex()), "{text}");
}

#[test]
fn ports_that_are_none_are_errors_that_name_them() {
    let text = refusal("serial:/dev/ttyNOWHERE@115200", "small");
    assert!(text.contains("there is no serial port `/dev/ttyNOWHERE`"), "{text}");
    let file = tempfile::NamedTempFile::new().unwrap();
    let text = refusal(&format!("serial:{}@115200", file.path().display()), "small");
    assert!(text.contains("is not a serial port"), "{text}");
    let text = refusal("serial:/dev/null@115200", "small");
    assert!(text.contains("/dev/null"), "{text}");
    assert!(refusal("serial:/dev/ttyUSB0@fast", "small").contains("`fast`"));
    let text = refusal("card", "small");
    assert!(text.contains("there is no transport `card`") && text.contains("serial:PATH@BAUD"), "{text}");
}

#[test]
fn a_silent_port_is_an_error_that_names_it() {
    let (_master, slave) = serialport::TTYPort::pair().unwrap();
    let path = serialport::SerialPort::name(&slave).unwrap();
    drop(slave);
    let held = Tty::open(&SerialUrl { path: path.clone(), baud: 115_200 }).unwrap();
    let text = refusal(&format!("serial:{path}@115200"), "small");
    assert!(text.contains(&format!("`{path}` is in use by another program")), "{text}");
    drop(held);
    let start = Instant::now();
    let text = refusal(&format!("serial:{path}@115200"), "small");
    assert!(text.contains(&format!("no answer on serial port {path}@115200")), "{text}");
    assert!(start.elapsed().as_secs() < 60);
}

#[test]
fn a_port_that_dies_in_the_session_is_an_error_that_names_it() {
    let config = Config::small();
    let board = golden(&config);
    let url = SerialUrl { path: board.path.clone(), baud: 115_200 };
    let mut driver = Driver::connect(Box::new(SerialTransport::open(&url).unwrap()), &config).unwrap();
    drop(board);
    let text = driver.transport().read_reg(map::ID.offset).unwrap_err().to_string();
    assert!(text.contains(&url.to_string()), "{text}");
}

/// A script for LiteX's own client: reads the ID register, writes and reads a block of memory.
const LITEX: &str = "
import sys
from litex.tools.remote.comm_uart import CommUART
comm = CommUART(sys.argv[1], 115200)
print('id', hex(comm.read(0xf0000000)))
block = [(i * 0x9e3779b1) & 0xffffffff for i in range(200)]
comm.write(0x40001000, block)
back = [word for i in range(0, 200, 50) for word in comm.read(0x40001000 + 4 * i, 50)]
print('block', back == block)
print('fixed', comm.read(0x40001004, 3, burst='fixed') == [block[1]] * 3)
";

/// Through the virtual ULX3S, its UART bit by bit.
#[test]
fn litex_own_client_reads_the_id_and_moves_a_block() {
    if !have_verilator("litex_own_client_reads_the_id_and_moves_a_block") {
        return;
    }
    // A Python with the packages `litex` and `pyserial`; by default one that the test makes.
    let fetch = std::env::var("HEDDLE_TEST_FETCH").is_ok() || std::env::var_os("CI").is_some_and(|v| v == "true");
    let dir = tempfile::tempdir().unwrap();
    let python = match std::env::var("HEDDLE_LITEX_PYTHON") {
        Ok(python) => python,
        Err(_) if !fetch => return println!("skipped: LiteX's client is fetched in CI, and with HEDDLE_TEST_FETCH=1"),
        Err(_) => {
            let venv = dir.path().join("venv");
            let run = |program: &str, args: &[&str]| {
                let output = Command::new(program).args(args).output().unwrap();
                assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
            };
            run("python3", &["-m", "venv", venv.to_str().unwrap()]);
            let python = venv.join("bin/python").display().to_string();
            run(&python, &["-m", "pip", "install", "--quiet", "litex==2024.12", "pyserial==3.5"]);
            python
        }
    };
    let (_board, url) = virtual_ulx3s(&["--memory", "block-ram"]);
    let output = Command::new(python).args(["-c", LITEX, path_of(&url)]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(text.lines().collect::<Vec<_>>(), ["id 0x48444c45", "block True", "fixed True"]);
}
