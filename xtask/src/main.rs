//! The project's own commands: `cargo xtask COMMAND`.
//!
//! Everything here runs on the machine of whoever works on the project and compiles before anything
//! else, so it depends on next to nothing. Reading order: [`test`] (what "it passes" means),
//! [`report`] (how counts are read and shown), [`deps`] (what must be installed), [`layers`] (which
//! crate may use which), [`codegen`] (what is generated from the Rust types), [`simulate`] (servers in
//! simulated time), [`bench`](mod@bench) (measurements), [`autobahn`] (a foreign judge of our WebSockets).

mod autobahn;
mod bench;
mod codegen;
mod deps;
mod layers;
mod report;
mod run;
mod simulate;
mod test;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  test [SUITE...]          every check and test, or only the named suites; --list names them
  check-layers             which crate uses which, against the table in xtask/src/layers.rs
  codegen [--check]        write what is generated from the Rust types; --check only compares
  simulate [--seeds COUNT] [--first SEED] | --crowd SERVERS [--first SEED] | --seed SEED [--log]
                           afternoons of many servers in simulated time, one for each seed
  bench [WHAT...]          measure the release binary: size, start, memory; --update-readme
  bench coordination [PART...]
                           many servers as one net, beside zenoh, into docs/benchmarks: simulation, lan,
                           3, 10, 50, zenoh, slow; and slower
  bench signaling [PART...]
                           the load benchmark beside other servers, into docs/benchmarks
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.split_first() {
        Some((&"test", rest)) => test::main(rest),
        Some((&"check-layers", [])) => layers::main(),
        Some((&"codegen", [])) => codegen::write(),
        Some((&"codegen", ["--check"])) => codegen::check(),
        Some((&"simulate", rest)) => simulate::main(rest),
        Some((&"bench", rest)) => bench::main(rest),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
