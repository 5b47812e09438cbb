//! stub
use crate::psp::api::*;
/// stub
#[derive(Clone)]
pub struct Client;
/// stub
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct ClientError;
impl Client {
    /// stub
    pub fn new(_: Option<super::Proxy>, _: std::time::Duration) -> Result<Self, ClientError> {
        Ok(Self)
    }
    /// stub
    pub async fn carry(&self, _: &ApiRequest) -> Result<ApiResponse, CallFailure> {
        Err(CallFailure::Timeout { host: String::new() })
    }
}
