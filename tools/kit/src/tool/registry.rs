//! The set of tools a release offers, each behind one erased door.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use serde_json::value::RawValue;

use super::schema::{self, SchemaError};
use super::validate;
use super::{Effect, Phase, Tool, ToolContext, ToolError};
use crate::store::BoxFuture;

/// What a model is told about a tool, and what the machine knows of it.
#[derive(Debug, Clone)]
pub struct ToolSpec {
    /// The name.
    pub name: &'static str,
    /// The description the model reads.
    pub description: &'static str,
    /// What a call does.
    pub effect: Effect,
    /// When it is on offer.
    pub phases: &'static [Phase],
    /// The strict schema of its arguments.
    pub parameters: Arc<Value>,
    /// The same, serialised once.
    pub parameters_raw: Arc<RawValue>,
}

impl ToolSpec {
    /// What a tool type says of itself.
    ///
    /// # Errors
    /// [`RegistryError`] when its name or arguments would be refused by a server.
    pub fn of<T: Tool>() -> Result<Self, RegistryError> {
        let named = T::NAME.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if T::NAME.is_empty() || T::NAME.len() > 64 || !named {
            return Err(RegistryError::Name(T::NAME));
        }
        let refused = |source| RegistryError::Schema { tool: T::NAME, source };
        let parameters = schema::strict::<T::Args>().map_err(refused)?;
        let raw =
            serde_json::value::to_raw_value(&parameters).map_err(|e| refused(SchemaError::Json(e.to_string())))?;
        Ok(Self {
            name: T::NAME,
            description: T::DESCRIPTION.trim(),
            effect: T::EFFECT,
            phases: T::PHASES,
            parameters: Arc::new(parameters),
            parameters_raw: Arc::from(raw),
        })
    }

    /// The form in which Chat Completions takes it.
    pub fn to_openai(&self) -> Value {
        serde_json::json!({
            "type": "function",
            "function": { "name": self.name, "description": self.description, "parameters": *self.parameters, "strict": true }
        })
    }
}

/// A tool that cannot be registered.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The arguments have no strict schema.
    #[error("tool `{tool}`: {source}")]
    Schema {
        /// The tool.
        tool: &'static str,
        /// What is wrong with its schema.
        source: SchemaError,
    },
    /// Two tools share a name.
    #[error("two tools are named `{0}`")]
    Twice(&'static str),
    /// A name that servers refuse.
    #[error("`{0}` is no tool name: lower-case letters, digits and _, at most 64")]
    Name(&'static str),
}

/// The object-safe twin of [`Tool`].
pub trait ErasedTool: Send + Sync {
    /// What it is.
    fn spec(&self) -> &ToolSpec;
    /// Validates the raw arguments and performs the call; the answer is compact JSON.
    fn call<'a>(&'a self, cx: &'a ToolContext, arguments: &'a str) -> BoxFuture<'a, Result<String, ToolError>>;
}

struct Erased<T> {
    spec: ToolSpec,
    tool: T,
}

impl<T: Tool> ErasedTool for Erased<T> {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn call<'a>(&'a self, cx: &'a ToolContext, arguments: &'a str) -> BoxFuture<'a, Result<String, ToolError>> {
        Box::pin(async move {
            let args = validate::arguments::<T::Args>(&self.spec.parameters, arguments)
                .map_err(|faults| ToolError::ForModel(faults.to_string()))?;
            let output = self.tool.call(cx, args).await?;
            serde_json::to_string(&output)
                .map_err(|e| ToolError::Fatal(format!("{} answered what is no JSON: {e}", T::NAME)))
        })
    }
}

/// All tools by name.
#[derive(Clone, Default)]
pub struct Registry {
    tools: BTreeMap<&'static str, Arc<dyn ErasedTool>>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.tools.keys()).finish()
    }
}

impl Registry {
    /// No tools.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a tool, or says why its arguments cannot be described strictly.
    ///
    /// # Errors
    /// [`RegistryError`]: a fault of the build, found at start-up.
    pub fn with<T: Tool>(mut self, tool: T) -> Result<Self, RegistryError> {
        let spec = ToolSpec::of::<T>()?;
        if self.tools.insert(T::NAME, Arc::new(Erased { spec, tool })).is_some() {
            return Err(RegistryError::Twice(T::NAME));
        }
        Ok(self)
    }

    /// Puts a tool in the place of the one of its name.
    #[must_use]
    pub fn replacing(mut self, tool: Arc<dyn ErasedTool>) -> Self {
        self.tools.insert(tool.spec().name, tool);
        self
    }

    /// A tool by name.
    pub fn get(&self, name: &str) -> Option<&Arc<dyn ErasedTool>> {
        self.tools.get(name)
    }

    /// All specs in order of name.
    pub fn specs(&self) -> impl Iterator<Item = &ToolSpec> {
        self.tools.values().map(|t| t.spec())
    }
}
