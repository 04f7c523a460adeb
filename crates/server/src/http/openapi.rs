//! The HTTP interface described for programs: OpenAPI 3.1, with the schemas of the very types that
//! are sent and read.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::{
    aredn, authority, claim, coordinate, diagnose, local_servers, metrics, network, peers, problem,
    sharing, signal, status, trust, zones,
};

/// The OpenAPI document.
#[must_use]
pub fn openapi() -> Value {
    let mut paths = Paths::new();
    status::describe(&mut paths);
    metrics::describe(&mut paths);
    claim::describe(&mut paths);
    local_servers::describe(&mut paths);
    diagnose::describe(&mut paths);
    aredn::describe(&mut paths);
    network::describe(&mut paths);
    zones::describe(&mut paths);
    authority::describe(&mut paths);
    sharing::describe(&mut paths);
    trust::describe(&mut paths);
    signal::describe(&mut paths);
    coordinate::describe(&mut paths);
    peers::describe(&mut paths);
    paths.document()
}

/// Every path with its operations, and the schemas of what they take and answer.
pub(super) struct Paths {
    paths: Map<String, Value>,
    /// Types as they are sent.
    sent: SchemaGenerator,
    /// Types as they are read.
    read: SchemaGenerator,
}

/// One method on one path.
pub(super) struct Operation(Value);

impl Paths {
    fn new() -> Self {
        let settings = || {
            SchemaSettings::draft2020_12()
                .with(|settings| settings.definitions_path = "/components/schemas".into())
        };
        Self {
            paths: Map::new(),
            sent: settings().for_serialize().into_generator(),
            read: settings().for_deserialize().into_generator(),
        }
    }

    /// Adds an operation. Parts of the path in braces are parameters.
    pub(super) fn add(&mut self, method: &str, path: &str, operation: Operation) {
        let Operation(mut operation) = operation;
        for part in path.split('/') {
            let name = part
                .strip_prefix('{')
                .and_then(|part| part.strip_suffix('}'));
            if let Some(name) = name {
                push(&mut operation, "parameters", parameter("path", name, None));
            }
        }
        self.paths.entry(path).or_insert_with(|| json!({}))[method] = operation;
    }

    fn document(mut self) -> Value {
        let mut schemas = self.sent.take_definitions(true);
        schemas.extend(self.read.take_definitions(true));
        json!({
            "openapi": "3.1.0",
            "info": { "title": "ham-server", "version": env!("CARGO_PKG_VERSION") },
            "paths": self.paths,
            "components": { "schemas": schemas },
        })
    }
}

impl Operation {
    pub(super) fn new(summary: &str) -> Self {
        Self(json!({ "summary": summary, "responses": {} }))
    }

    /// A parameter in the query, which may be left out.
    pub(super) fn query(mut self, name: &str, description: &str) -> Self {
        let parameter = parameter("query", name, Some(description));
        push(&mut self.0, "parameters", parameter);
        self
    }

    /// A JSON body.
    pub(super) fn takes<T: JsonSchema>(mut self, paths: &mut Paths) -> Self {
        let schema = paths.read.subschema_for::<T>().to_value();
        self.0["requestBody"] = json!({
            "required": true,
            "content": { "application/json": { "schema": schema } },
        });
        self
    }

    /// A JSON answer.
    pub(super) fn answers<T: JsonSchema>(
        self,
        paths: &mut Paths,
        status: u16,
        description: &str,
    ) -> Self {
        let schema = paths.sent.subschema_for::<T>().to_value();
        let content = json!({ "application/json": { "schema": schema } });
        self.answer(status, description, Some(&content))
    }

    /// An answer that is a file.
    pub(super) fn answers_file(self, description: &str, media_type: &str) -> Self {
        let content = json!({ media_type: {} });
        self.answer(200, description, Some(&content))
    }

    /// An answer without a body.
    pub(super) fn answers_nothing(self, status: u16, description: &str) -> Self {
        self.answer(status, description, None)
    }

    /// Problem documents.
    pub(super) fn refuses(mut self, paths: &mut Paths, statuses: &[u16]) -> Self {
        let schema = paths.sent.subschema_for::<problem::Document<'_>>();
        let content = json!({ "application/problem+json": { "schema": schema } });
        for status in statuses {
            self = self.answer(*status, "Why not", Some(&content));
        }
        self
    }

    fn answer(mut self, status: u16, description: &str, content: Option<&Value>) -> Self {
        let mut response = json!({ "description": description });
        if let Some(content) = content {
            response["content"] = content.clone();
        }
        self.0["responses"][status.to_string()] = response;
        self
    }
}

fn parameter(place: &str, name: &str, description: Option<&str>) -> Value {
    let mut parameter = json!({ "name": name, "in": place, "schema": { "type": "string" } });
    if place == "path" {
        parameter["required"] = true.into();
    }
    if let Some(description) = description {
        parameter["description"] = description.into();
    }
    parameter
}

fn push(operation: &mut Value, list: &str, item: Value) {
    match &mut operation[list] {
        Value::Array(items) => items.push(item),
        absent => *absent = json!([item]),
    }
}
