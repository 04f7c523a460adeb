//! Builds the web app with npm and makes it part of the binary, compressed.
//!
//! Nothing runs again while nothing under `web/` changed. With `HAM_SERVER_WEB_DIST` set, a web app
//! built elsewhere is taken from that folder instead, for machines without Node.

use std::error::Error;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;
use std::{env, hash};

/// Vite needs it.
const OLDEST_NODE: (u32, u32) = (20, 19);

/// What the web app is made of.
const INPUTS: [&str; 8] = [
    "index.html",
    "package-lock.json",
    "package.json",
    "public",
    "src",
    "tsconfig.json",
    "vite.config.ts",
    ".npmrc",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=HAM_SERVER_WEB_DIST");
    println!("cargo::rerun-if-env-changed=HAM_SERVER_BUILD");
    println!("cargo::rustc-env=HAM_SERVER_BUILT={}", build_time());
    leave_out_unwinding();
    // Release builds number themselves; any other build is number 0.
    let build_number = env::var("HAM_SERVER_BUILD").unwrap_or_else(|_| "0".into());
    println!(
        "cargo::rustc-env=HAM_SERVER_VERSION={}-{build_number}",
        env!("CARGO_PKG_VERSION")
    );
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    let dist = match env::var_os("HAM_SERVER_WEB_DIST") {
        Some(dist) => {
            println!("cargo::rerun-if-changed={}", Path::new(&dist).display());
            PathBuf::from(dist)
        }
        None => match build(&out.join("web")) {
            Ok(dist) => dist,
            Err(problem) => {
                println!("cargo::error={problem}");
                return Ok(());
            }
        },
    };
    embed(&dist, &out)
}

/// In a release a panic ends the process, so nothing looks up how to unwind a stack: 110 kB that need not be handed on.
fn leave_out_unwinding() {
    let is = |name, value: &str| env::var(name).is_ok_and(|set| set == value);
    if is("PROFILE", "release") && is("CARGO_CFG_TARGET_OS", "linux") {
        println!("cargo::rustc-link-arg-bins=-Wl,--no-eh-frame-hdr");
    }
}

/// Seconds since 1970, or as reproducible builds set it.
fn build_time() -> u64 {
    println!("cargo::rerun-if-env-changed=SOURCE_DATE_EPOCH");
    let set = env::var("SOURCE_DATE_EPOCH")
        .ok()
        .and_then(|seconds| seconds.parse().ok());
    let now = || {
        SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |d| d.as_secs())
    };
    set.unwrap_or_else(now)
}

/// Runs npm. The error is a sentence for whoever builds.
fn build(dist: &Path) -> Result<PathBuf, String> {
    // Asked now, not when this was compiled: a target folder may have been copied or moved with its checkout.
    let here = env::var_os("CARGO_MANIFEST_DIR").ok_or("cargo sets CARGO_MANIFEST_DIR")?;
    let web = Path::new(&here).join("../../web");
    for input in INPUTS {
        println!("cargo::rerun-if-changed={}", web.join(input).display());
    }
    let node = output_of(Command::new("node").arg("--version"))
        .ok_or("building the web app needs Node.js 20.19 or newer with npm; install it from your system's packages or nodejs.org, then run the same command again")?;
    if !new_enough(&node) {
        return Err(format!(
            "building the web app needs Node.js 20.19 or newer, and this is {node}; install a newer one, then run the same command again"
        ));
    }
    // Two builds at once (debug and release, say) must not both install.
    let lock = File::open(web.join("package.json")).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    if !installed(&web) {
        npm(&web, &["ci"], dist)?;
    }
    npm(&web, &["run", "build"], dist)?;
    Ok(dist.to_owned())
}

fn new_enough(version: &str) -> bool {
    let mut numbers = version
        .trim_start_matches('v')
        .split('.')
        .map(|n| n.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= OLDEST_NODE
}

/// npm writes this file last.
fn installed(web: &Path) -> bool {
    let changed = |path: &str| {
        fs::metadata(web.join(path))
            .and_then(|meta| meta.modified())
            .ok()
    };
    let installed = changed("node_modules/.package-lock.json");
    installed.is_some() && installed >= changed("package-lock.json")
}

fn npm(web: &Path, arguments: &[&str], dist: &Path) -> Result<(), String> {
    let program = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(web)
        .env("WEB_OUT_DIR", dist);
    let said = format!("npm {}", arguments.join(" "));
    let output = command.output().map_err(|error| {
        format!("building the web app needs npm, which comes with Node.js; {said}: {error}")
    })?;
    if output.status.success() {
        return Ok(());
    }
    // Cargo shows one line for each directive, so every line of npm's becomes one.
    let mut problem = format!("{said} failed in web/; the lines below are what it said");
    for text in [output.stdout, output.stderr] {
        for line in String::from_utf8_lossy(&text)
            .lines()
            .filter(|line| !line.is_empty())
        {
            let _ = write!(problem, "\ncargo::error={line}");
        }
    }
    Err(problem)
}

fn output_of(command: &mut Command) -> Option<String> {
    let output = command
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Writes `assets.rs`: a table of every file, compressed where that helps.
fn embed(dist: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    let folder = out.join("assets");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let mut files = Vec::new();
    collect(dist, dist, &mut files)?;
    files.sort();
    let mut table = String::from("static ASSETS: &[Asset] = &[\n");
    for (index, path) in files.iter().enumerate() {
        let plain = fs::read(dist.join(path.trim_start_matches('/')))?;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(&plain)?;
        let gzipped = encoder.finish()?;
        let gzip = gzipped.len() < plain.len();
        let stored = folder.join(index.to_string());
        fs::write(&stored, if gzip { &gzipped } else { &plain })?;
        writeln!(
            table,
            "    Asset {{ path: {path:?}, gzip: {gzip}, tag: \"\\\"{:016x}\\\"\", bytes: include_bytes!({stored:?}) }},",
            tag(&plain)
        )?;
    }
    table.push_str("];\n");
    fs::write(out.join("assets.rs"), table)?;
    Ok(())
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<String>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
        } else {
            let relative = path
                .strip_prefix(root)?
                .to_str()
                .ok_or("asset names are UTF-8")?;
            files.push(format!("/{}", relative.replace('\\', "/")));
        }
    }
    Ok(())
}

/// Tells versions of a file apart for caches; not a protection.
fn tag(bytes: &[u8]) -> u64 {
    use hash::{DefaultHasher, Hasher as _};
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}
