// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every bench, as `heddle bench`: `cargo bench`.

use heddle::bench::BENCHES;

fn main() {
    for bench in BENCHES {
        match (bench.run)(&mut |_| {}) {
            Ok(table) => {
                println!("{}\n\n{}", table.title, table.markdown());
                table.missed.iter().for_each(|what| println!("MISSED: {what}\n"));
            }
            Err(error) => {
                eprintln!("{}: {error}", bench.name);
                std::process::exit(1);
            }
        }
    }
}
