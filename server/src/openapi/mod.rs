//! The description of the API, OpenAPI 3.1: made from the table of routes and from `schemas.json`.

use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value, json};

use crate::{
    app::App,
    call::Call,
    respond,
    route::{Answer, ROUTES, Route},
};

const SCHEMAS: &str = include_str!("schemas.json");

/// The description.
pub fn description() -> Value {
    let mut paths = Map::new();
    for route in ROUTES {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.as_str().to_ascii_lowercase()] = operation(route);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tenure",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "A durable, transactional coordination store: claim work for a lease, commit each result once. \
                Times are milliseconds since the Epoch, spans are milliseconds, numbers stay below 2^53.",
            "license": {"name": "Apache-2.0 OR MIT"},
        },
        "paths": paths,
        "components": {
            "schemas": serde_json::from_str::<Value>(SCHEMAS).unwrap_or_default(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    })
}

fn schema(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn parameter(name: &str, place: &str, schema: &Value) -> Value {
    json!({"name": name, "in": place, "required": place == "path", "schema": schema})
}

fn kind(name: &str) -> Value {
    match name {
        "integer" => json!({"type": "integer", "minimum": 0, "maximum": tenure::core::id::MAX_ID}),
        "page" => json!({"type": "integer", "minimum": 1, "maximum": 10_000, "default": 1000}),
        "flag" => json!({"enum": ["0", "1", "yes", "no", "true", "false"]}),
        "state" => json!({"enum": ["available", "delayed", "held"]}),
        _ => json!({"type": "string"}),
    }
}

fn operation(route: &Route) -> Value {
    let mut parameters = Vec::new();
    for part in route.path.split('/').filter_map(|part| part.strip_prefix('{')) {
        let name = part.trim_end_matches('}');
        let schema = if name == "id" { kind("integer") } else { json!({"type": "string", "minLength": 1}) };
        parameters.push(parameter(name, "path", &schema));
    }
    for query in route.query {
        let (name, of) = query.split_once(':').unwrap_or((query, "string"));
        parameters.push(parameter(name, "query", &kind(of)));
    }
    let content = if route.answer.contains('/') {
        json!({route.answer: {}})
    } else {
        json!({"application/json": {"schema": schema(route.answer)}})
    };
    let mut problem = json!({"description": "what went wrong", "content": {"application/problem+json": {"schema": schema("Problem")}}});
    if route.answer == "TaskStoreAnswer" {
        // Its errors have a form of their own, once somebody is let in.
        problem["content"]["application/json"] = json!({"schema": schema(route.answer)});
    }
    let mut operation = json!({
        "operationId": operation_id(route),
        "summary": route.about,
        "parameters": parameters,
        "responses": {"200": {"description": "done", "content": content}, "default": problem},
    });
    if !route.body.is_empty() {
        let body =
            json!({"required": route.body != "Empty", "content": {"application/json": {"schema": schema(route.body)}}});
        operation["requestBody"] = body;
    }
    if !route.is_open() {
        operation["security"] = json!([{}, {"token": []}]);
    }
    operation
}

fn operation_id(route: &Route) -> String {
    let mut id = route.method.as_str().to_ascii_lowercase();
    for part in route.path.split(['/', '{', '}', '.']).filter(|part| !part.is_empty()) {
        id.push('_');
        id.push_str(part);
    }
    id
}

/// Answers with the description.
#[allow(clippy::unused_async, reason = "every handler is")]
pub async fn answer(_: Arc<App>, _: Box<Call>) -> Answer {
    static TEXT: OnceLock<String> = OnceLock::new();
    Ok(respond::json_text(TEXT.get_or_init(|| description().to_string()).clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every `$ref` in a value.
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                found.extend(map.get("$ref").and_then(Value::as_str).map(ToOwned::to_owned));
                map.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }

    #[test]
    fn every_schema_that_is_named_is_there_and_every_one_is_named() {
        let description = description();
        let mut named = Vec::new();
        references(&description, &mut named);
        for name in &named {
            let path = name.trim_start_matches('#');
            assert!(description.pointer(path).is_some(), "{name}");
        }
        for name in description["components"]["schemas"].as_object().unwrap().keys() {
            assert!(named.contains(&format!("#/components/schemas/{name}")), "{name} is for nothing");
        }
    }

    #[test]
    fn the_fields_of_requests_are_those_that_are_read() {
        let schemas: Value = serde_json::from_str(SCHEMAS).unwrap();
        let check = |name: &str, message: String| {
            let known = message.split("known are ").nth(1).unwrap_or_else(|| panic!("{message}"));
            let mut read: Vec<&str> = known.split(", ").collect();
            read.sort_unstable();
            let described: Vec<&String> = schemas[name]["properties"].as_object().unwrap().keys().collect();
            assert_eq!(described, read, "{name}");
        };
        let request = |text: &str| tenure::core::json::read_request(text.as_bytes()).unwrap_err().message().to_owned();
        check("Request", request(r#"{"qqqqqqqq":1}"#));
        for (name, list) in [
            ("Add", "adds"),
            ("Update", "updates"),
            ("Put", "puts"),
            ("Remove", "removes"),
            ("IncrementOf", "increments"),
            ("Guard", "guards"),
        ] {
            check(name, request(&format!(r#"{{"{list}":[{{"qqqqqqqq":1}}]}}"#)));
        }
        let claim = tenure::core::json::read_claim(br#"{"qqqqqqqq":1}"#).unwrap_err();
        check("Claim", claim.message().to_owned());
    }

    #[test]
    fn each_operation_has_a_name_of_its_own() {
        let mut ids: Vec<String> = ROUTES.iter().map(operation_id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), ROUTES.len());
    }
}
