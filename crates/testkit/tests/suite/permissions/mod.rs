//! Who may do what with which document, through every way in: roles, levels, owners, User
//! Permissions and scopes, and that nothing shows what they hide.
//!
//! The expectations come from [`model`], which is small enough to be checked by eye and knows
//! nothing of the product.

mod changes;
mod helpdesk;
mod leaks;
mod matrix;
mod methods;
mod model;
mod people;
mod secrets;
mod todos;
