//! The OpenAPI document of the API, made from the types that it speaks.

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::api::{
    ApprovalDetail, ApprovalView, Assented, BriefListed, Conversation, Decided, Edit, InboxView, KillReason, KillView,
    Lower, Lowered, Raise, Reason, Rejection, RunDetail, RunView, Said, SendDetail, SendView, TrustView, WishReply,
    WishView,
};
use super::problem::Problem;

/// Makes a schema, noting the types it names.
type Shape = fn(&mut SchemaGenerator) -> Value;

/// One thing the API does.
struct Operation {
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    role: &'static str,
    /// Query parameters with what they mean.
    query: &'static [(&'static str, &'static str)],
    body: Option<Shape>,
    /// The status of success and its body.
    answer: (u16, Option<Shape>),
}

const LIMIT: (&str, &str) = ("limit", "how many at most, 1 to 1000; 100 when left out");

fn one<T: JsonSchema>(schemas: &mut SchemaGenerator) -> Value {
    schemas.subschema_for::<T>().to_value()
}

fn many<T: JsonSchema>(schemas: &mut SchemaGenerator) -> Value {
    json!({ "type": "array", "items": one::<T>(schemas) })
}

fn operations() -> Vec<Operation> {
    let read = |path, summary, role, query, schema: Shape| Operation {
        method: "get",
        path,
        summary,
        role,
        query,
        body: None,
        answer: (200, Some(schema)),
    };
    vec![
        read("/runs", "Runs, newest first", "viewer", &[LIMIT], many::<RunView>),
        read("/runs/{id}", "A run with its journal", "viewer", &[], one::<RunDetail>),
        read(
            "/approvals",
            "Messages and campaigns that wait for people, the most urgent first",
            "viewer",
            &[
                LIMIT,
                ("state", "pending (when left out), approved, rejected, superseded, expired or recalled"),
                ("after", "goes on behind this approval, the last of the page before"),
            ],
            many::<ApprovalView>,
        ),
        read("/approvals/{id}", "One of them; its ETag is what a decision names", "viewer", &[], one::<ApprovalDetail>),
        Operation {
            method: "post",
            path: "/approvals/{id}/approve",
            summary: "Sign exactly what was shown, named by its ETag in If-Match; authors cannot. It leaves once it cannot be recalled any more",
            role: "approver",
            query: &[],
            body: Some(one::<Assented>),
            answer: (200, Some(one::<Decided>)),
        },
        Operation {
            method: "post",
            path: "/approvals/{id}/reject",
            summary: "Reject with a reason",
            role: "approver",
            query: &[],
            body: Some(one::<Rejection>),
            answer: (200, Some(one::<Decided>)),
        },
        Operation {
            method: "post",
            path: "/approvals/{id}/recall",
            summary: "Take an approval back before anything left with it",
            role: "marketer",
            query: &[],
            body: Some(one::<Reason>),
            answer: (200, Some(one::<Decided>)),
        },
        read("/trust", "How far flows are trusted to send unseen, and why", "viewer", &[], many::<TrustView>),
        Operation {
            method: "post",
            path: "/trust/{flow}/raise",
            summary: "Confirm a level that a flow's record carries",
            role: "admin",
            query: &[],
            body: Some(one::<Raise>),
            answer: (200, Some(one::<TrustView>)),
        },
        Operation {
            method: "post",
            path: "/trust/{flow}/lower",
            summary: "Have every message of a flow approved again",
            role: "approver",
            query: &[],
            body: Some(one::<Lower>),
            answer: (200, Some(one::<Lowered>)),
        },
        read("/offers/wishes", "Wishes beyond the offer ladder, newest first", "viewer", &[LIMIT], many::<WishView>),
        Operation {
            method: "post",
            path: "/offers/wishes/{run}/{step}/answer",
            summary: "Answer a wish, once; it grants nothing",
            role: "approver",
            query: &[],
            body: Some(one::<WishReply>),
            answer: (200, Some(one::<WishView>)),
        },
        read("/sends", "The ledger, newest first: no content, no address", "viewer", &[LIMIT], many::<SendView>),
        read("/sends/{key}", "What went out under a key", "marketer", &[], one::<SendDetail>),
        read(
            "/inbox",
            "Events of shop systems, newest first",
            "viewer",
            &[LIMIT, ("state", "received, done or parked; all when left out")],
            many::<InboxView>,
        ),
        Operation {
            method: "post",
            path: "/inbox/{id}/retry",
            summary: "Put a parked event back",
            role: "admin",
            query: &[],
            body: None,
            answer: (202, None),
        },
        read("/chat", "Briefs, newest first", "viewer", &[LIMIT], many::<BriefListed>),
        Operation {
            method: "post",
            path: "/chat",
            summary: "Say something about a brief, or begin one. The answer is a stream of server-sent events: begun, delta, tool, brief, question, choices, answer, model, and at last done (a conversation) or problem",
            role: "marketer",
            query: &[],
            body: Some(one::<Said>),
            answer: (200, None),
        },
        read("/chat/{id}", "A conversation as it is", "viewer", &[], one::<Conversation>),
        Operation {
            method: "post",
            path: "/chat/{id}/stop",
            summary: "Stop the turn under way",
            role: "marketer",
            query: &[],
            body: None,
            answer: (200, Some(one::<Conversation>)),
        },
        Operation {
            method: "post",
            path: "/chat/{id}/edit",
            summary: "Undo, flip an assumption, choose a brief, take a constraint back",
            role: "marketer",
            query: &[],
            body: Some(one::<Edit>),
            answer: (200, Some(one::<Conversation>)),
        },
        read("/kill", "Kill switches that are on", "viewer", &[], many::<KillView>),
        Operation {
            method: "put",
            path: "/kill/{scope}",
            summary: "Stop sending: global, shop, flow:ID or segment:NAME",
            role: "admin",
            query: &[],
            body: Some(one::<KillReason>),
            answer: (200, Some(many::<KillView>)),
        },
        Operation {
            method: "delete",
            path: "/kill/{scope}",
            summary: "Go on; held runs are woken",
            role: "admin",
            query: &[],
            body: None,
            answer: (200, Some(many::<KillView>)),
        },
    ]
}

/// The document.
pub fn document() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|s| s.definitions_path = "/components/schemas".into());
    let mut schemas = settings.into_generator();
    let mut paths = Map::new();
    for operation in operations() {
        let described = describe(&operation, &mut schemas);
        let path = paths.entry(format!("/api/v1{}", operation.path)).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            path.insert(operation.method.to_owned(), described);
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Mailwright", "version": "1", "description": "Errors are application/problem+json (RFC 9457)." },
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer", "description": "A token of `mailwright tokens create`." } },
            "schemas": schemas.take_definitions(true),
        },
    })
}

fn describe(operation: &Operation, schemas: &mut SchemaGenerator) -> Value {
    let in_path = operation.path.split(['{', '}']).skip(1).step_by(2);
    let mut parameters: Vec<Value> = in_path
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    parameters.extend(operation.query.iter().map(|(name, meaning)| {
        let kind = if *name == "limit" { "integer" } else { "string" };
        json!({ "name": name, "in": "query", "description": meaning, "schema": { "type": kind } })
    }));
    let content = |schema: Value| json!({ "application/json": { "schema": schema } });
    let (status, answer) = operation.answer;
    let mut success = json!({ "description": "done" });
    if let (Some(success), Some(answer)) = (success.as_object_mut(), answer) {
        success.insert("content".to_owned(), content(answer(schemas)));
    }
    let problem = one::<Problem>(schemas);
    let mut described = json!({
        "summary": operation.summary,
        "description": format!("Takes the role {}.", operation.role),
        "parameters": parameters,
        "responses": {
            status.to_string(): success,
            "default": { "description": "not done", "content": { "application/problem+json": { "schema": problem } } },
        },
    });
    if let (Some(described), Some(body)) = (described.as_object_mut(), operation.body) {
        described.insert("requestBody".to_owned(), json!({ "required": true, "content": content(body(schemas)) }));
    }
    described
}
