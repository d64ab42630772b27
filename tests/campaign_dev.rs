//! dev
mod campaign;
