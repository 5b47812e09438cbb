//! Sogecommerce.
