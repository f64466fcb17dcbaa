//! Pipelines and transactions: several commands in one request.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use redis::Value;
use serde::Serialize;

use crate::{
    command::Command,
    operation::Operation,
    prepared_command::PreparedCommand,
    reply::{Encoding, Reply},
    request_error::RequestError,
    request_span::RequestSpan,
    service::Service,
};

/// One entry of the response to `/pipeline`.
#[derive(Serialize)]
#[serde(untagged)]
enum PipelineEntry {
    Reply(Reply),
    Error { error: String },
}

/// Runs the commands in order and returns a result or an error for each. The others run even if the bridge
/// refuses one of them.
pub(crate) async fn pipeline(
    service: &Service,
    span: &RequestSpan,
    body: &[u8],
    encoding: Encoding,
) -> Result<Response, RequestError> {
    let batch = parse(body, "pipeline")?;
    let batch: Vec<_> = batch.into_iter().map(|command| PreparedCommand::new(command, &service.scripts)).collect();
    let sent: Vec<&PreparedCommand> = batch.iter().filter_map(|prepared| prepared.as_ref().ok()).collect();
    for prepared in &sent {
        service.metrics.command(prepared.name);
    }
    let replies = service.store.pipeline(sent.iter().map(|prepared| &prepared.cmd));
    let mut values = service.observe(span, Operation::Pipeline(sent.len()), replies).await?.into_iter();
    let entries: Result<Vec<_>, RequestError> = batch
        .iter()
        .map(|prepared| match prepared {
            Ok(prepared) => {
                let value = values.next().ok_or_else(reply_count_mismatch)?;
                Ok(PipelineEntry::Reply(Reply { value: prepared.reply(value), encoding }))
            }
            Err(error) => Ok(PipelineEntry::Error { error: error.text() }),
        })
        .collect();
    Ok(Json(entries?).into_response())
}

/// Runs the commands as one transaction: all of them with no other command in between, or none.
pub(crate) async fn transaction(
    service: &Service,
    span: &RequestSpan,
    body: &[u8],
    encoding: Encoding,
) -> Result<Response, RequestError> {
    let batch = parse(body, "multi-exec")?;
    let batch: Result<Vec<_>, _> =
        batch.into_iter().map(|command| PreparedCommand::new(command, &service.scripts)).collect();
    let batch = batch?;
    service.metrics.command("multi");
    for prepared in &batch {
        service.metrics.command(prepared.name);
    }
    service.metrics.command("exec");
    let replies = service.store.transaction(batch.iter().map(|prepared| &prepared.cmd));
    let values: Vec<Value> = service.observe(span, Operation::Transaction(batch.len()), replies).await?;
    if values.len() != batch.len() {
        return Err(reply_count_mismatch());
    }
    let replies = batch.iter().zip(values).map(|(prepared, value)| Reply { value: prepared.reply(value), encoding });
    Ok(Json(replies.collect::<Vec<_>>()).into_response())
}

fn parse<'a>(body: &'a [u8], kind: &str) -> Result<Vec<Command<'a>>, RequestError> {
    let batch = Command::batch_from_json(body)
        .map_err(|error| RequestError::Refused(format!("ERR failed to parse {kind} request: {error}")))?;
    if batch.is_empty() {
        return Err(RequestError::Refused(format!("ERR empty {kind} request")));
    }
    Ok(batch)
}

fn reply_count_mismatch() -> RequestError {
    RequestError::Unreachable("the number of its replies differs from the number of commands".to_owned())
}
