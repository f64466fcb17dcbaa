//! From what a client sent to what Redis gets.

use redis::{Cmd, Value};

use crate::{
    command::Command,
    command_name::command_name,
    refusal::refusal_reason,
    request_error::RequestError,
    script_rewriter::{ScriptRewriter, Sha},
};

/// A command that may go to Redis.
pub(crate) struct PreparedCommand {
    /// In lower case; `other` if Redis does not have it.
    pub(crate) name: &'static str,
    pub(crate) cmd: Cmd,
    /// What `SCRIPT LOAD` must answer instead of Redis's own SHA-1.
    load_reply: Option<Sha>,
}

impl PreparedCommand {
    /// # Errors
    ///
    /// [`RequestError::Refused`] if the command is empty or cannot be served on a shared connection.
    pub(crate) fn new(Command(mut args): Command<'_>, scripts: &ScriptRewriter) -> Result<Self, RequestError> {
        let first = args.first().filter(|name| !name.is_empty());
        let name = command_name(first.ok_or_else(|| RequestError::refused("ERR empty command"))?);
        let mut load_reply = None;
        if let Some(name) = name {
            if let Some(reason) = refusal_reason(name, &args) {
                let upper = name.to_ascii_uppercase();
                return Err(RequestError::Refused(format!("ERR Command is not available: '{upper}': {reason}")));
            }
            load_reply = scripts.rewrite(name, &mut args);
        }
        let mut cmd = Cmd::with_capacity(args.len(), args.iter().map(|arg| arg.len()).sum());
        for arg in &args {
            cmd.arg(arg.as_ref());
        }
        Ok(Self { name: name.unwrap_or("other"), cmd, load_reply })
    }

    /// Redis's answer as the client expects it.
    pub(crate) fn reply(&self, value: Value) -> Value {
        match (self.load_reply, value) {
            (Some(sha), Value::BulkString(_)) => Value::BulkString(sha.to_vec()),
            (_, value) => value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepare(body: &str) -> Result<PreparedCommand, RequestError> {
        PreparedCommand::new(Command::from_json(body.as_bytes()).unwrap(), &ScriptRewriter::default())
    }

    #[test]
    fn names_what_redis_has_and_folds_the_rest() {
        assert_eq!(prepare(r#"["EvalSha","x",0]"#).unwrap().name, "evalsha");
        assert_eq!(prepare(r#"["made.up"]"#).unwrap().name, "other");
    }

    #[test]
    fn refuses_empty_and_stateful_commands() {
        for body in ["[]", r#"[""]"#] {
            assert_eq!(prepare(body).err(), Some(RequestError::refused("ERR empty command")));
        }
        let error = prepare(r#"["subscribe","c"]"#).err().unwrap().text();
        assert!(error.starts_with("ERR Command is not available: 'SUBSCRIBE'"), "{error}");
    }

    #[test]
    fn packs_the_arguments_as_they_are() {
        let cmd = prepare(r#"["SET","k",1.50]"#).unwrap().cmd;
        assert_eq!(cmd.get_packed_command(), b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\n1.50\r\n");
    }

    #[test]
    fn script_load_answers_the_sha_that_the_client_knows() {
        let load = prepare(r##"["SCRIPT","LOAD","#!lua flags=allow-key-locking\nreturn 1"]"##).unwrap();
        let Value::BulkString(sha) = load.reply(Value::BulkString(b"another".to_vec())) else { panic!() };
        assert_eq!(sha.len(), 40);
        assert_eq!(load.reply(Value::Nil), Value::Nil);
    }
}
