//! Risk tiers, approvals, and the decision not to send.
