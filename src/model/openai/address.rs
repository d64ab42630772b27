//! Where requests go and what stands in their headers, as async-openai wants to be told.
//!
//! A configuration of our own rather than the library's: that one reads the environment of another tool, always shows a
//! key, and panics at one that no header may hold.

use async_openai::config::Config;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use secrecy::SecretString;

use super::profile::{Api, Profile, Secret};
use super::provider::Auth;
use super::transport::unreachable;
use crate::egress::{Egress, EgressError};
use crate::model::ModelError;

/// The address of a profile's server.
pub(super) struct Address {
    base: String,
    /// What stands between the base and the library's own path: Azure names the deployment there.
    between: String,
    version: Option<String>,
    headers: HeaderMap,
    key: SecretString,
}

impl Address {
    /// # Errors
    /// When the address cannot be used or the key holds what no header may hold, such as a line break.
    pub(super) fn of(profile: &Profile, egress: &Egress) -> Result<Self, ModelError> {
        let base = egress.url("").map_err(unreachable)?.as_str().trim_end_matches('/').to_owned();
        let between = match (profile.api, &profile.api_version) {
            (Api::Chat, Some(_)) => format!("/openai/deployments/{}", profile.model),
            (Api::Responses, Some(_)) => "/openai".to_owned(),
            (Api::Chat | Api::Responses, None) => String::new(),
        };
        if reqwest::Url::parse(&format!("{base}{between}")).is_err() {
            return Err(unreachable(EgressError::Address));
        }
        let accept = if profile.stream { "text/event-stream" } else { "*/*" };
        let mut headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]);
        headers.extend(key(&profile.api_key, profile.quirks().auth)?);
        let version = profile.api_version.clone();
        Ok(Self { base, between, version, headers, key: SecretString::from(profile.api_key.0.clone()) })
    }
}

impl Config for Address {
    fn headers(&self) -> HeaderMap {
        self.headers.clone()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{}{path}", self.base, self.between)
    }

    fn query(&self) -> Vec<(&str, &str)> {
        self.version.iter().map(|version| ("api-version", version.as_str())).collect()
    }

    fn api_base(&self) -> &str {
        &self.base
    }

    fn api_key(&self) -> &SecretString {
        &self.key
    }
}

/// The key as a header that no log shows; none without a key.
fn key(key: &Secret, auth: Auth) -> Result<Option<(HeaderName, HeaderValue)>, ModelError> {
    if key.0.is_empty() {
        return Ok(None);
    }
    let (name, text) = match auth {
        Auth::Bearer => (AUTHORIZATION, format!("Bearer {}", key.0)),
        Auth::Header(name) => (HeaderName::from_static(name), key.0.clone()),
    };
    let mut value = HeaderValue::from_str(&text).map_err(|_| ModelError::UnusableKey)?;
    value.set_sensitive(true);
    Ok(Some((name, value)))
}
