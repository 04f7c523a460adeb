//! One node of zenoh as a router, for the benchmark of coordination; or, without the feature, what to subtract.
//!
//! Called with the address to listen on and those to connect to. Every line on standard input is the name of who is here
//! from now on instead of whoever was, empty for nobody: a liveliness token each. Every line on standard output is
//! somebody who came (`+NAME`) or went (`-NAME`) anywhere, this node included.

#[cfg(feature = "ours")]
#[path = "ours.rs"]
mod engine;
#[cfg(feature = "zenoh")]
#[path = "zenoh.rs"]
mod engine;

use std::error::Error;

use tokio::io::{AsyncBufReadExt as _, BufReader, Lines, Stdin};

type Names = Lines<BufReader<Stdin>>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let addresses: Vec<String> = std::env::args().skip(1).collect();
    let names: Names = BufReader::new(tokio::io::stdin()).lines();
    engine::run(&addresses, names).await
}

#[cfg(not(any(feature = "zenoh", feature = "ours")))]
mod engine {
    use std::error::Error;

    use tokio::net::TcpListener;

    /// Reads names and says them, and listens, as all of these programs do.
    pub(crate) async fn run(
        addresses: &[String],
        mut names: super::Names,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        let address = addresses.first().ok_or("usage: LISTEN [CONNECT...]")?;
        let _listener = TcpListener::bind(address).await?;
        while let Some(name) = names.next_line().await? {
            println!("+{name}");
        }
        Ok(())
    }
}
