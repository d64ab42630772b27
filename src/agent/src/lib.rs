//! The agent run as a pure state machine.
