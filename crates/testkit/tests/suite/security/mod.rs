//! The rules of `security.md`, each as a test over HTTP.
//!
//! One module for each of its sections; the tag above a test names the line. What a real Frappe
//! lets happen (`behaviour.md`, section 5) is in [`findings`].

mod audit;
mod authorization_endpoint;
mod clients;
mod codes_and_tokens;
mod findings;
mod inputs_outputs_network;
mod scene;
mod sign_in_and_sessions;
