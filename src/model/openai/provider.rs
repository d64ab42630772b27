//! The ways of each kind of server, as one table.
//!
//! Where a row rests on a vendor's own documentation, the page is named; the rest was measured or is reported by users, and
//! is marked so. A server that is in no row is taken for one that does what OpenAI documents.

use serde::{Deserialize, Serialize};

/// Whose server it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// OpenAI itself.
    #[serde(rename = "openai")]
    OpenAi,
    /// Azure OpenAI.
    Azure,
    /// Anthropic's endpoint for OpenAI clients.
    Anthropic,
    /// Gemini's endpoint for OpenAI clients.
    Gemini,
    /// Ollama.
    Ollama,
    /// llama.cpp's server.
    LlamaCpp,
    /// vLLM.
    Vllm,
    /// Any other.
    #[default]
    Other,
}

/// How the key is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Auth {
    /// `Authorization: Bearer …`.
    Bearer,
    /// A header of its own.
    Header(&'static str),
}

/// What differs from server to server.
#[derive(Debug)]
pub(super) struct Quirks {
    provider: Provider,
    /// Its name in configuration.
    name: &'static str,
    /// Parts of a host, or a port, by which it is known.
    addresses: &'static [&'static str],
    pub(super) auth: Auth,
    /// The role of our standing instructions.
    pub(super) system_role: &'static str,
    /// `max_completion_tokens`, or the older `max_tokens`.
    pub(super) completion_tokens: bool,
    /// Takes `strict` with a tool.
    pub(super) strict: bool,
    /// Takes `tool_choice: required`; else it is asked with `auto` and the machine asks again.
    pub(super) required: bool,
    /// Takes `parallel_tool_calls`.
    pub(super) parallel: bool,
    /// Takes `stream_options.include_usage`.
    pub(super) stream_usage: bool,
    /// Holds the model to `response_format: json_schema`.
    pub(super) json_schema: bool,
    /// Keywords of a schema that it refuses.
    pub(super) refused_keywords: &'static [&'static str],
    /// Runs on a machine of our own: tokens have no price.
    pub(super) own_machine: bool,
}

/// What OpenAI documents: the ground of every row.
const DOCUMENTED: Quirks = Quirks {
    provider: Provider::Other,
    name: "other",
    addresses: &[],
    auth: Auth::Bearer,
    system_role: "system",
    completion_tokens: true,
    strict: true,
    required: true,
    parallel: true,
    stream_usage: true,
    json_schema: true,
    refused_keywords: &[],
    own_machine: false,
};

static TABLE: [Quirks; 8] = [
    // developers.openai.com/api/reference: `developer` takes the place of `system` from o1 on, and older models take it too;
    // `max_tokens` is deprecated and refused by reasoning models.
    Quirks {
        provider: Provider::OpenAi,
        name: "openai",
        addresses: &["api.openai.com"],
        system_role: "developer",
        ..DOCUMENTED
    },
    // learn.microsoft.com/azure/ai-services/openai/reference: the key in `api-key`, the deployment in the path and
    // `api-version` in the query, unless the address is that of the v1 interface. `system` is taken by every version.
    Quirks {
        provider: Provider::Azure,
        name: "azure",
        addresses: &[".openai.azure.com", ".cognitiveservices.azure.com"],
        auth: Auth::Header("api-key"),
        ..DOCUMENTED
    },
    // docs.claude.com/en/api/openai-sdk: `strict` and `response_format` are ignored; `max_completion_tokens`,
    // `stream_options` and `parallel_tool_calls` are taken; all system messages become one at the beginning.
    Quirks {
        provider: Provider::Anthropic,
        name: "anthropic",
        addresses: &["api.anthropic.com"],
        strict: false,
        json_schema: false,
        ..DOCUMENTED
    },
    // ai.google.dev/gemini-api/docs/openai and /function-calling: schemas are a subset of OpenAPI 3.0. That the endpoint
    // answers 400 to these keywords is what users report (for example zed issue 44875, gptel issue 806), not what the page
    // says. `parallel_tool_calls` is in no list of the page.
    Quirks {
        provider: Provider::Gemini,
        name: "gemini",
        addresses: &["generativelanguage.googleapis.com"],
        strict: false,
        parallel: false,
        refused_keywords: &["additionalProperties", "const", "exclusiveMinimum", "exclusiveMaximum"],
        ..DOCUMENTED
    },
    // docs.ollama.com/api/openai-compatibility lists `max_tokens`, `stream_options.include_usage` and `response_format`; neither
    // `max_completion_tokens` nor `parallel_tool_calls`.
    Quirks {
        provider: Provider::Ollama,
        name: "ollama",
        addresses: &[":11434"],
        completion_tokens: false,
        strict: false,
        required: false,
        parallel: false,
        own_machine: true,
        ..DOCUMENTED
    },
    // Measured with one build: `response_format: json_schema` is enforced; `tool_choice: required` is answered with 200 and no
    // call, and the model then runs on to its limit. So it is asked with `auto`.
    Quirks {
        provider: Provider::LlamaCpp,
        name: "llama_cpp",
        addresses: &[],
        completion_tokens: false,
        strict: false,
        required: false,
        own_machine: true,
        ..DOCUMENTED
    },
    // docs.vllm.ai/en/latest/features/tool_calling: `required` from 0.8.3 on.
    Quirks { provider: Provider::Vllm, name: "vllm", addresses: &[], strict: false, own_machine: true, ..DOCUMENTED },
    DOCUMENTED,
];

impl Provider {
    /// Its name in configuration.
    pub fn as_str(self) -> &'static str {
        self.quirks().name
    }

    /// Who is known to be at this address.
    pub fn of_address(base_url: &str) -> Self {
        let address = base_url.split_once("://").map_or(base_url, |(_, rest)| rest);
        let authority = address.split(['/', '?', '#']).next().unwrap_or_default();
        let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
        let known = |part: &&str| match part.as_bytes().first() {
            Some(b':') => authority.ends_with(*part),
            Some(b'.') => host.ends_with(*part),
            _ => host == *part,
        };
        TABLE.iter().find(|row| row.addresses.iter().any(known)).map_or(Self::Other, |row| row.provider)
    }

    pub(super) fn quirks(self) -> &'static Quirks {
        TABLE.iter().find(|row| row.provider == self).unwrap_or(&DOCUMENTED_ROW)
    }
}

static DOCUMENTED_ROW: Quirks = DOCUMENTED;

#[cfg(test)]
mod tests {
    use super::{Provider, TABLE};

    #[test]
    fn every_provider_has_a_row_of_its_own_name() {
        for row in &TABLE {
            let named: Provider = serde_json::from_value(serde_json::json!(row.name)).unwrap();
            assert_eq!((named, named.as_str()), (row.provider, row.name));
        }
    }

    #[test]
    fn known_addresses_are_known() {
        for (address, provider) in [
            ("https://api.openai.com/v1", Provider::OpenAi),
            ("https://shop.openai.azure.com", Provider::Azure),
            ("https://api.anthropic.com/v1/", Provider::Anthropic),
            ("https://generativelanguage.googleapis.com/v1beta/openai/", Provider::Gemini),
            ("http://localhost:11434/v1", Provider::Ollama),
            ("http://127.0.0.1:8080/v1", Provider::Other),
            ("https://api.openai.com.evil.example/v1", Provider::Other),
            ("https://evil.example/api.openai.com", Provider::Other),
            ("", Provider::Other),
        ] {
            assert_eq!(Provider::of_address(address), provider, "{address}");
        }
    }
}
