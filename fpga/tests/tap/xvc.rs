// SPDX-License-Identifier: MIT OR Apache-2.0
//! Serves a device by the Xilinx Virtual Cable protocol, version 1.0, on loopback.

use super::Ecp5;
use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

/// Bytes of one vector of bits that the server takes.
const VECTOR_BYTES: usize = 2048;

/// Serves the device to one client after the other, until the test ends.
pub fn serve(device: Arc<Mutex<Ecp5>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port on loopback");
    let address = listener.local_addr().expect("its address");
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            // A client that leaves in the middle of a command is gone.
            let _ = talk(client, &device);
        }
    });
    address
}

fn talk(mut client: TcpStream, device: &Mutex<Ecp5>) -> io::Result<()> {
    client.set_nodelay(true)?;
    loop {
        let mut command = Vec::new();
        while command.last() != Some(&b':') {
            command.push(byte(&mut client)?);
        }
        match &command[..] {
            b"getinfo:" => client.write_all(format!("xvcServer_v1.0:{VECTOR_BYTES}\n").as_bytes())?,
            b"settck:" => {
                let period = [byte(&mut client)?, byte(&mut client)?, byte(&mut client)?, byte(&mut client)?];
                client.write_all(&period)?;
            }
            b"shift:" => shift(&mut client, device)?,
            _ => return Err(io::Error::other("an unknown command")),
        }
    }
}

fn byte(client: &mut TcpStream) -> io::Result<u8> {
    let mut one = [0];
    client.read_exact(&mut one).map(|()| one[0])
}

fn shift(client: &mut TcpStream, device: &Mutex<Ecp5>) -> io::Result<()> {
    let mut count = [0; 4];
    client.read_exact(&mut count)?;
    let bits = u32::from_le_bytes(count) as usize;
    let bytes = bits.div_ceil(8);
    if bytes > VECTOR_BYTES {
        return Err(io::Error::other("a vector that is too long"));
    }
    let (mut tms, mut tdi, mut tdo) = (vec![0; bytes], vec![0; bytes], vec![0; bytes]);
    client.read_exact(&mut tms)?;
    client.read_exact(&mut tdi)?;
    let mut device = device.lock().expect("the device");
    for i in 0..bits {
        let of = |bytes: &[u8]| bytes[i / 8] >> (i % 8) & 1 == 1;
        tdo[i / 8] |= u8::from(device.clock(of(&tms), of(&tdi))) << (i % 8);
    }
    client.write_all(&tdo)
}
