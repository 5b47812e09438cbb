//! Up2pay e-Transactions.
