// The errors of the library. A refusal is none of them: it is a verdict.

/** A variable or the configuration is invalid. `path` names the field. */
export class ConfigError extends Error {
  name = "ConfigError";

  constructor(message, path) {
    super(message);
    this.path = path;
  }
}

/** A check is invalid: a mistake of the caller. `path` names the field. */
export class InputError extends TypeError {
  name = "InputError";

  constructor(message, path) {
    super(message);
    this.path = path;
  }
}

/** An API key cannot be looked up: Redis has failed, or the client has tried too many unknown keys. */
export class AuthenticationError extends Error {
  name = "AuthenticationError";
}

/** Redis has failed to settle a request. */
export class RedisError extends Error {
  name = "RedisError";
}
