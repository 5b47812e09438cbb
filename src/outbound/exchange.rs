//! One request and its answer, bounded while it arrives.

use std::error::Error;
use std::io;

use bytes::Bytes;
use cvco_psp::Method;
use cvco_psp::api::{ApiRequest, ApiResponse, CallFailure};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper::header::{
    ACCEPT_ENCODING, CONNECTION, HOST, HeaderMap, HeaderName, HeaderValue, InvalidHeaderValue, USER_AGENT,
};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;

use super::connect::{Stream, driven};
use super::target::Target;

/// The largest answer that is read.
pub const ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// The largest head of an answer that is read.
pub(super) const HEAD_BYTES: usize = 64 * 1024;

const OUR_NAME: &str = concat!("cvco-reconciled/", env!("CARGO_PKG_VERSION"));

/// The request as it will be sent.
pub(super) fn message(request: &ApiRequest, target: &Target) -> Result<Request<Full<Bytes>>, CallFailure> {
    let mut message = Request::new(Full::new(Bytes::copy_from_slice(&request.body)));
    *message.method_mut() = match request.method {
        Method::Get => hyper::Method::GET,
        Method::Post => hyper::Method::POST,
    };
    *message.uri_mut() = Uri::from(target.path.clone());
    let headers = message.headers_mut();
    for (name, value) in &request.headers {
        let unfit =
            || target.unreachable(format!("the header {name} holds what no header can (a line end?)"));
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unfit())?;
        let mut value = HeaderValue::from_str(value).map_err(|_| unfit())?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    own_headers(headers, target).map_err(|_| target.unreachable("its name fits no header"))?;
    Ok(message)
}

fn own_headers(headers: &mut HeaderMap, target: &Target) -> Result<(), InvalidHeaderValue> {
    headers.insert(HOST, HeaderValue::from_str(&target.authority)?);
    headers.insert(USER_AGENT, HeaderValue::from_static(OUR_NAME));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    Ok(())
}

/// Sends a request over a connection of its own; `read` takes of the answer what it needs.
pub(super) async fn send<T, F>(
    stream: Box<dyn Stream>,
    message: Request<Full<Bytes>>,
    target: &Target,
    read: impl FnOnce(Response<Incoming>) -> F,
) -> Result<T, CallFailure>
where
    F: Future<Output = Result<T, hyper::Error>>,
{
    let cut = |error: hyper::Error| CallFailure::Cut { host: target.authority.clone(), why: why_cut(&error) };
    let (mut sender, connection) =
        http1::Builder::new().max_buf_size(HEAD_BYTES).handshake(TokioIo::new(stream)).await.map_err(cut)?;
    let answer = async { read(sender.send_request(message).await?).await };
    driven(connection, answer).await.map_err(cut)
}

/// Sends it and reads the whole answer.
pub(super) async fn exchange(
    stream: Box<dyn Stream>,
    message: Request<Full<Bytes>>,
    target: &Target,
) -> Result<ApiResponse, CallFailure> {
    let (status, body) = send(stream, message, target, async |response| {
        Ok((response.status().as_u16(), read_bounded(response.into_body()).await?))
    })
    .await?;
    let too_large = || CallFailure::TooLarge { host: target.authority.clone(), limit: ANSWER_BYTES };
    Ok(ApiResponse { status, body: body.ok_or_else(too_large)? })
}

/// Reads a body; `None` if it is too large.
async fn read_bounded(mut body: Incoming) -> Result<Option<Vec<u8>>, hyper::Error> {
    if body.size_hint().lower() > ANSWER_BYTES as u64 {
        return Ok(None);
    }
    let mut kept = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        if kept.len().saturating_add(data.len()) > ANSWER_BYTES {
            return Ok(None);
        }
        kept.extend_from_slice(&data);
    }
    Ok(Some(kept))
}

/// Why an answer is none, or not whole, for people.
pub(super) fn why_cut(error: &hyper::Error) -> String {
    let cause = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    let closed_early = cause.is_some_and(|cause| cause.kind() == io::ErrorKind::UnexpectedEof);
    if error.is_parse_too_large() {
        format!("its head is larger than {HEAD_BYTES} bytes")
    } else if error.is_parse() {
        "it is not HTTP".to_owned()
    } else if error.is_incomplete_message() || closed_early {
        "the connection was closed before its end".to_owned()
    } else {
        cause.map_or_else(|| error.to_string(), ToString::to_string)
    }
}
