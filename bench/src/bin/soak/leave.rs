//! Clients that reset their connection in the middle of a request.

use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::{Request, body::Bytes};
use sluicegate_bench::http::{Connection, HttpError};
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::{
    client::{PATIENCE, Target, read},
    exchange::Seen,
    kinds::Moment,
    random::Random,
};

/// Sends a request on a connection of its own, and resets it at this moment. Returns the response if it was not a
/// success, and has therefore been read to its end.
pub(crate) async fn leave(
    target: &Target,
    request: Request<Full<Bytes>>,
    moment: Moment,
    random: &mut Random,
) -> Option<Seen> {
    match timeout(PATIENCE, attempt(target, request, moment, random)).await {
        Ok(Ok(seen)) => seen,
        Ok(Err(error)) => Some(Seen::Nothing(error.to_string())),
        Err(_) => Some(Seen::Nothing(format!("no response within {PATIENCE:?}"))),
    }
}

async fn attempt(
    target: &Target,
    request: Request<Full<Bytes>>,
    moment: Moment,
    random: &mut Random,
) -> Result<Option<Seen>, HttpError> {
    let failed = |source| HttpError::Connect { address: target.worker, source };
    let mut stream = TcpStream::connect(target.worker).await.map_err(failed)?;
    // Whoever drops the stream resets the connection.
    stream.set_zero_linger().map_err(failed)?;
    let stay = match moment {
        Moment::AtOnce => Duration::from_millis(2),
        Moment::Waiting | Moment::Uploading => Duration::from_millis(10 + random.below(100)),
        Moment::Downloading => PATIENCE,
    };
    if moment == Moment::Uploading {
        // Fails only if the server has answered already.
        let _ = stream.write_all(&half(request).await).await;
        sleep(stay).await;
        return Ok(None);
    }
    let mut connection = Connection::over(stream, target.worker).await?;
    let Ok(response) = timeout(stay, connection.send(request)).await else { return Ok(None) };
    let mut response = response?;
    if response.status() != 200 {
        return Ok(Some(read(response).await));
    }
    // The beginning, if it arrives.
    let _ = response.frame().await;
    Ok(None)
}

/// Returns the bytes of the head and of half the body.
async fn half(request: Request<Full<Bytes>>) -> Vec<u8> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let mut bytes = format!("{} {} HTTP/1.1\r\nHost: edge\r\n", head.method, head.uri).into_bytes();
    for (name, value) in &head.headers {
        bytes.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    bytes.extend(format!("Content-Length: {}\r\n\r\n", body.len()).into_bytes());
    bytes.extend(body.iter().take(body.len() / 2));
    bytes
}
