//! JSON.

use cvco_domain::Bilingual;
use serde::de::DeserializeOwned;

/// Reads JSON. The error names the place, and nothing that came from outside.
pub(crate) fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Bilingual> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        // Only an error of content has a path that is sure to consist of our own names.
        if error.inner().is_data() {
            let path = error.path();
            Bilingual::new(
                format!("{path} manque, figure deux fois ou n’a pas la forme attendue"),
                format!("{path} is missing, stands twice or is not in its format"),
            )
        } else {
            not_json()
        }
    })?;
    deserializer.end().map_err(|_| not_json())?;
    Ok(value)
}

fn not_json() -> Bilingual {
    Bilingual::new("ce n’est pas du JSON", "not JSON")
}
