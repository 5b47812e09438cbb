//! The dashboard: who may see it, who may act there, and that nothing from outside runs in it.

mod access;
mod acting;
mod files;
mod hostile;
mod reading;
