//! Prints the JSON Schema of every signaling message, for the documentation and the web app.

use schemars::SchemaGenerator;
use serde_json::{Value, json};
use signaling::message::{ClientMessage, ServerMessage};

fn main() {
    let mut generator = SchemaGenerator::default();
    generator.subschema_for::<ClientMessage<'_>>();
    generator.subschema_for::<ServerMessage<'_>>();
    let mut definitions = generator.take_definitions(true);
    // What every frame carries beside its message.
    let frames = [
        (
            "ClientFrame",
            "ClientMessage",
            json!({ "id": text("Echoed as replyTo.") }),
            json!([]),
        ),
        (
            "ServerFrame",
            "ServerMessage",
            json!({
                "seq": { "description": "From 1, without gaps.", "type": "integer", "minimum": 1 },
                "replyTo": text("The id of the frame this answers."),
            }),
            json!(["seq"]),
        ),
    ];
    for (name, message, properties, required) in frames {
        let beside = json!({ "type": "object", "properties": properties, "required": required });
        let message = json!({ "$ref": format!("#/$defs/{message}") });
        definitions.insert(name.to_owned(), json!({ "allOf": [message, beside] }));
    }
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Signaling",
        "description": "Messages on /signal; see signaling.md.",
        "anyOf": [{ "$ref": "#/$defs/ClientFrame" }, { "$ref": "#/$defs/ServerFrame" }],
        "$defs": definitions,
    });
    println!("{schema:#}");
}

fn text(description: &str) -> Value {
    json!({ "description": description, "type": "string" })
}
