//! Asking a model: what it may see, what it may cost, and which one stands in.

use std::borrow::Cow;

use agent::{Input, ModelFault, ModelRequest, ToolChoice};
use kit::tool::ToolSpec;
use kit::{RunId, Timestamp};

use super::super::guard::PrivacyGuard;
use super::super::{DriveError, Observer};
use super::drive::Drive;
use crate::failpoint;
use crate::model::{ChatModel, ReplySink};
use crate::spend::Purchase;

impl Drive<'_> {
    pub(super) async fn ask(&mut self) -> Result<Input, DriveError> {
        let Some(model) = self.driver.models.get(self.model) else {
            let why = "no model is configured".to_owned();
            return Ok(Input::Fatal { why, at: self.driver.clock.now() });
        };
        let guard = match self.guard.take() {
            Some(guard) => guard,
            None => self.guard_for_person().await?,
        };
        let guard = self.guard.insert(guard);
        let Some(request) = self.machine.request() else {
            let why = "the machine asks for a model without a question".to_owned();
            return Ok(Input::Fatal { why, at: self.driver.clock.now() });
        };
        let messages = guard.mask(request.messages);
        if let Cow::Owned(_) = messages {
            tracing::debug!(run = %self.run.id, "personal data was masked before a model call");
        }
        let request = ModelRequest { messages: &messages, ..request };
        let tools: Vec<&ToolSpec> =
            request.tools.iter().filter_map(|name| self.driver.registry.get(name)).map(|tool| tool.spec()).collect();
        let purchase = self.purchase(model.as_ref(), &request, &tools);
        let ticket = match self.driver.purse.reserve(purchase, self.driver.clock.now()).await? {
            Ok(ticket) => ticket,
            Err(refusal) => {
                tracing::warn!(profile = model.profile(), %refusal, "model call not made");
                let fault = ModelFault { why: refusal.to_string(), transient: true };
                return Ok(Input::ModelFailed { fault, at: self.driver.clock.now() });
            }
        };
        let listener = Listener { observer: self.driver.observer.as_ref(), run: &self.run.id };
        let answer = model.stream(&request, &tools, &listener).await;
        failpoint::hit("after_model");
        self.driver.purse.settle(ticket, &answer).await?;
        let at = self.driver.clock.now();
        Ok(match answer {
            Ok(reply) => Input::Model { reply, at },
            Err(error) => {
                tracing::warn!(profile = model.profile(), %error, "model call failed");
                Input::ModelFailed { fault: error.fault(), at }
            }
        })
    }

    /// Without knowing whose data to look for nothing is asked: an error here is the run's, not a reason to go on.
    async fn guard_for_person(&self) -> Result<PrivacyGuard, DriveError> {
        let person = self.driver.store.customer(&self.seed.subject.customer).await?;
        Ok(PrivacyGuard::for_person(person.as_ref()))
    }

    fn purchase<'a>(
        &'a self,
        model: &'a dyn ChatModel,
        request: &ModelRequest<'_>,
        tools: &[&ToolSpec],
    ) -> Purchase<'a> {
        let quote = model.quote(request, tools);
        Purchase { run: &self.run.id, flow: &self.run.flow, profile: model.profile(), quote }
    }

    /// The next model that the run can pay for. What it will be asked is not known yet; what was said so far is the least.
    pub(super) async fn switch(&mut self, at: Timestamp) -> Result<Input, DriveError> {
        let said = ModelRequest {
            messages: self.machine.transcript(),
            tools: Vec::new(),
            tool_choice: ToolChoice::Auto,
            form: None,
        };
        for (position, model) in self.driver.models.iter().enumerate().skip(self.model + 1) {
            if self.driver.purse.affords(self.purchase(model.as_ref(), &said, &[]), at).await? {
                let profile = model.profile().to_owned();
                self.model = position;
                return Ok(Input::SwitchedModel { profile, at });
            }
        }
        Ok(Input::NoMoreModels { at })
    }
}

/// Hands a model's words on to whoever watches the run.
struct Listener<'a> {
    observer: &'a dyn Observer,
    run: &'a RunId,
}

impl ReplySink for Listener<'_> {
    fn text(&self, delta: &str) {
        self.observer.writes(self.run, delta);
    }

    fn call(&self, name: &str) {
        self.observer.calls(self.run, name);
    }
}
