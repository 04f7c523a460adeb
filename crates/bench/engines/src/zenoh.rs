//! zenoh: routers that know whom to connect to, each with one liveliness token and one subscriber.

use std::error::Error;
use std::io::Write as _;

use zenoh::Config;
use zenoh::sample::SampleKind;

/// Under which everybody is.
const PEOPLE: &str = "people";

/// Times are those of our own servers, so that neither is better by being asked for more: a link is dead after 3.5 s
/// (zenoh's own default is 10 s), and dialled again after 0.5 to 4 s (zenoh's default begins at 1 s).
fn config(addresses: &[String]) -> Result<Config, Box<dyn Error + Send + Sync>> {
    let (listen, connect) = addresses.split_first().ok_or("usage: LISTEN [CONNECT...]")?;
    let endpoints = |list: &[String]| {
        let list: Vec<_> = list.iter().map(|one| format!("\"tcp/{one}\"")).collect();
        format!("[{}]", list.join(","))
    };
    let mut config = Config::default();
    for (key, value) in [
        ("mode", "\"router\"".to_owned()),
        ("listen/endpoints", endpoints(std::slice::from_ref(listen))),
        ("connect/endpoints", endpoints(connect)),
        ("connect/timeout_ms", "-1".to_owned()),
        ("connect/exit_on_failure", "false".to_owned()),
        (
            "connect/retry",
            "{ period_init_ms: 500, period_max_ms: 4000, period_increase_factor: 2 }".to_owned(),
        ),
        ("scouting/multicast/enabled", "false".to_owned()),
        ("transport/link/tx/lease", "3500".to_owned()),
    ] {
        config.insert_json5(key, &value)?;
    }
    Ok(config)
}

/// Runs until standard input ends.
pub(crate) async fn run(
    addresses: &[String],
    mut names: super::Names,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let session = zenoh::open(config(addresses)?).await?;
    let everybody = format!("{PEOPLE}/*");
    let _subscriber = session
        .liveliness()
        .declare_subscriber(&everybody)
        .history(true)
        .callback(|sample| {
            let sign = match sample.kind() {
                SampleKind::Put => '+',
                SampleKind::Delete => '-',
            };
            let name = sample.key_expr().as_str();
            let name = name.rsplit('/').next().unwrap_or(name);
            // Whoever reads this may be gone, and then so are we soon.
            let _ = writeln!(std::io::stdout(), "{sign}{name}");
        })
        .await?;
    let mut here = None;
    while let Some(name) = names.next_line().await? {
        drop(here.take());
        if !name.is_empty() {
            let token = session.liveliness().declare_token(format!("{PEOPLE}/{name}"));
            here = Some(token.await?);
        }
    }
    Ok(())
}
