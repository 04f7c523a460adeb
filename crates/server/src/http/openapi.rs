//! The HTTP interface described for programs: OpenAPI 3.1, with the schemas of the very types that
//! are sent and read.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::{claim, local_servers, network, problem, status};

/// The OpenAPI document.
#[must_use]
pub fn openapi() -> Value {
    let mut types = Types::new();
    let mut paths = Map::new();
    let status = types.json::<status::Status>("The server's state");
    paths.insert(
        "/api/status".into(),
        get("The server's state and who is here", &status),
    );
    let info = types.json::<status::Info>("What the server is");
    paths.insert(
        "/api/info".into(),
        get("What the server is and how to reach it", &info),
    );
    let offer = types.json::<claim::ClaimOffer>("The server's key and a nonce");
    let claimed = types.json::<claim::Claimed>("The server is claimed");
    let request = types.reference_for_input::<claim::ClaimRequest>();
    let problem = json!({
        "description": "Why not",
        "content": {
            "application/problem+json": { "schema": types.reference::<problem::Document<'_>>() },
        },
    });
    paths.insert(
        "/api/claim-station".into(),
        json!({
            "get": {
                "summary": "What is needed to claim the server",
                "responses": { "200": offer },
            },
            "post": {
                "summary": "Claim the server",
                "requestBody": {
                    "required": true,
                    "content": { "application/json": { "schema": request } },
                },
                "responses": { "200": claimed, "400": problem, "403": problem },
            },
        }),
    );
    let servers = types.json::<local_servers::LocalServers>("The other servers");
    paths.insert(
        "/api/local-servers".into(),
        get("The other servers on this network, unverified", &servers),
    );
    let nonce = types.json::<network::Nonce>("A nonce");
    paths.insert(
        "/api/nonce".into(),
        get("A nonce for a signed request", &nonce),
    );
    let answer = types.json::<network::NetworkAnswer>("The state that follows");
    let request = types.reference_for_input::<network::NetworkRequest>();
    paths.insert(
        "/api/network".into(),
        json!({
            "post": {
                "summary": "Let people on the network join, or no longer; signed by the owner",
                "requestBody": {
                    "required": true,
                    "content": { "application/json": { "schema": request } },
                },
                "responses": { "200": answer, "401": problem, "403": problem },
            },
        }),
    );
    for (path, media_type) in [
        ("/api/qr.svg", "image/svg+xml"),
        ("/api/qr.png", "image/png"),
    ] {
        let code = json!({ "description": "A QR code", "content": { media_type: {} } });
        let mut operation = get("The joining URL as a QR code", &code);
        operation["get"]["parameters"] = json!([
            query(
                "address",
                "One of the server's own URLs; the best one without it"
            ),
            query("net", "The net to enter"),
        ]);
        paths.insert(path.into(), operation);
    }
    for (path, media_type) in [
        ("/trust/ca.crt", "application/x-x509-ca-cert"),
        (
            "/trust/ham-server.mobileconfig",
            "application/x-apple-aspen-config",
        ),
    ] {
        let file = json!({ "description": "The root certificate", "content": { media_type: {} } });
        paths.insert(
            path.into(),
            get("What a browser's device is asked to trust", &file),
        );
    }
    let page = json!({ "303": { "description": "The page that explains it" } });
    paths.insert(
        "/trust".into(),
        json!({ "get": { "summary": "Trust", "responses": page } }),
    );
    let ok = json!({ "description": "It serves", "content": { "text/plain": {} } });
    paths.insert("/healthz".into(), get("Whether the server serves", &ok));
    let switching = json!({ "101": { "description": "WebSocket; see signaling.schema.json" } });
    for path in ["/signal", "/ws/signal"] {
        let upgrade = json!({ "summary": "Signaling", "responses": switching });
        paths.insert(path.into(), json!({ "get": upgrade }));
    }
    json!({
        "openapi": "3.1.0",
        "info": { "title": "ham-server", "version": env!("CARGO_PKG_VERSION") },
        "paths": paths,
        "components": { "schemas": types.definitions() },
    })
}

/// The schemas of types as they are sent, and of those that are read.
struct Types {
    sent: SchemaGenerator,
    read: SchemaGenerator,
}

impl Types {
    fn new() -> Self {
        let settings = || {
            SchemaSettings::draft2020_12()
                .with(|settings| settings.definitions_path = "/components/schemas".into())
        };
        Self {
            sent: settings().for_serialize().into_generator(),
            read: settings().for_deserialize().into_generator(),
        }
    }

    fn reference<T: JsonSchema>(&mut self) -> Value {
        self.sent.subschema_for::<T>().to_value()
    }

    fn reference_for_input<T: JsonSchema>(&mut self) -> Value {
        self.read.subschema_for::<T>().to_value()
    }

    fn json<T: JsonSchema>(&mut self, description: &str) -> Value {
        let schema = self.reference::<T>();
        json!({ "description": description, "content": { "application/json": { "schema": schema } } })
    }

    fn definitions(mut self) -> Map<String, Value> {
        let mut all = self.sent.take_definitions(true);
        all.extend(self.read.take_definitions(true));
        all
    }
}

fn get(summary: &str, response: &Value) -> Value {
    json!({ "get": { "summary": summary, "responses": { "200": response } } })
}

fn query(name: &str, description: &str) -> Value {
    json!({ "name": name, "in": "query", "description": description, "schema": { "type": "string" } })
}
