//! What a device is asked to trust so that this server's secure address works on it: the root of the
//! browser CA, as a certificate and as Apple's configuration profile. Served over plain HTTP: that is
//! where somebody who does not trust it yet comes from, and its fingerprint can be compared.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::App;
#[cfg(feature = "schema")]
use super::openapi::{Operation, Paths};
use super::problem::Problem;
use crate::listen::Root;

/// The page that explains it is part of the app.
pub(super) async fn page() -> Redirect {
    Redirect::to("/#/trust")
}

pub(super) async fn certificate(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let root = root(&app)?;
    let name = "attachment; filename=\"ham-server-ca.crt\"";
    let headers = [
        (header::CONTENT_TYPE, "application/x-x509-ca-cert"),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headers, root.der).into_response())
}

pub(super) async fn profile(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let root = root(&app)?;
    let owner = app
        .ownership
        .callsign()
        .map(|owner| owner.to_string())
        .unwrap_or_default();
    let headers = [
        (header::CONTENT_TYPE, "application/x-apple-aspen-config"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"ham-server.mobileconfig\"",
        ),
    ];
    Ok((headers, configuration_profile(&owner, &root)).into_response())
}

fn root(app: &App) -> Result<Root, Problem> {
    app.tls.root().ok_or_else(|| {
        let error = "this server has no owner yet, and so no secure address";
        Problem::new(StatusCode::NOT_FOUND, "unclaimed", error)
    })
}

/// A profile with one certificate (Apple, Configuration Profile Reference). A callsign has no
/// character that XML would mind. The identifiers follow from the root, so that installing the
/// profile again replaces it.
fn configuration_profile(owner: &str, root: &Root) -> String {
    let fingerprint = root.fingerprint.to_string();
    let uuid = |from: usize| {
        let hex = &fingerprint[from..from + 32];
        [
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..],
        ]
        .join("-")
    };
    let (payload, whole) = (uuid(0), uuid(32));
    let certificate = STANDARD.encode(&root.der);
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>PayloadType</key><string>Configuration</string>
  <key>PayloadVersion</key><integer>1</integer>
  <key>PayloadIdentifier</key><string>ham-server.{fingerprint}</string>
  <key>PayloadUUID</key><string>{whole}</string>
  <key>PayloadDisplayName</key><string>{owner}'s ham-server</string>
  <key>PayloadDescription</key><string>Lets this device trust {owner}'s server on the local network. It cannot vouch for any site of the internet.</string>
  <key>PayloadContent</key>
  <array>
    <dict>
      <key>PayloadType</key><string>com.apple.security.root</string>
      <key>PayloadVersion</key><integer>1</integer>
      <key>PayloadIdentifier</key><string>ham-server.{fingerprint}.root</string>
      <key>PayloadUUID</key><string>{payload}</string>
      <key>PayloadDisplayName</key><string>{owner}'s ham-server</string>
      <key>PayloadContent</key><data>{certificate}</data>
    </dict>
  </array>
</dict>
</plist>
"#
    )
}

#[cfg(feature = "schema")]
pub(super) fn describe(paths: &mut Paths) {
    for (path, media_type) in [
        ("/trust/ca.crt", "application/x-x509-ca-cert"),
        (
            "/trust/ham-server.mobileconfig",
            "application/x-apple-aspen-config",
        ),
    ] {
        let file = Operation::new("What a browser's device is asked to trust")
            .answers_file("The root certificate", media_type);
        paths.add("get", path, file);
    }
    let page = Operation::new("Trust").answers_nothing(303, "The page that explains it");
    paths.add("get", "/trust", page);
}
