//! JSON.

use serde::de::DeserializeOwned;

/// Reads JSON. The error names the place, and nothing that came from outside.
pub(crate) fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        // Only an error of content has a path that is sure to consist of our own names.
        if error.inner().is_data() {
            format!("{} is missing, stands twice or is not in its format", error.path())
        } else {
            "not JSON".to_owned()
        }
    })?;
    deserializer.end().map_err(|_| "not JSON".to_owned())?;
    Ok(value)
}
