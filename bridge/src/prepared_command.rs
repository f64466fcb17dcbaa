//! A client's command in the form that Redis receives.

use redis::{Cmd, Value};

use crate::{
    command::Command,
    command_name::command_name,
    refusal::refusal_reason,
    request_error::RequestError,
    script_rewriter::{ScriptRewriter, Sha},
};

/// A command that may be sent to Redis.
pub(crate) struct PreparedCommand {
    /// The name in lower case, or `other` if Redis has no such command.
    pub(crate) name: &'static str,
    pub(crate) cmd: Cmd,
    /// The SHA-1 that the client expects from `SCRIPT LOAD`, if it differs from that of Redis.
    load_reply: Option<Sha>,
}

impl PreparedCommand {
    /// Checks a client's command and rewrites its script.
    ///
    /// # Errors
    ///
    /// Returns [`RequestError::Refused`] if the command is empty or cannot be served on a shared connection.
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

    /// Converts Redis's reply to the one that the client expects.
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
    fn unknown_names_become_other() {
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
    fn arguments_are_sent_unchanged() {
        let cmd = prepare(r#"["SET","k",1.50]"#).unwrap().cmd;
        assert_eq!(cmd.get_packed_command(), b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\n1.50\r\n");
    }

    #[test]
    fn script_load_returns_the_sha_that_the_client_expects() {
        let load = prepare(r##"["SCRIPT","LOAD","#!lua flags=allow-key-locking\nreturn 1"]"##).unwrap();
        let Value::BulkString(sha) = load.reply(Value::BulkString(b"another".to_vec())) else { panic!() };
        assert_eq!(sha.len(), 40);
        assert_eq!(load.reply(Value::Nil), Value::Nil);
    }
}
