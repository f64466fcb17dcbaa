// What the wasm needs of JavaScript. Nothing is decided here.

import { AuthenticationError, ConfigError, InputError, RedisError } from "./errors.js";

const givenUp = new Error("the call was given up");

/** A `POST` to the REST server. */
export class Post {
  #controller = new AbortController();

  constructor(url, authorization, body) {
    const headers = { authorization, "content-type": "application/json" };
    // A redirect is an answer like any other, so the token goes nowhere else.
    const init = { method: "POST", headers, body, redirect: "manual", signal: this.#controller.signal };
    this.answer = read(url, init).catch((error) => { throw reason(error); });
  }

  abort() {
    // Nobody waits for the answer any more.
    this.answer.catch(() => {});
    this.#controller.abort(givenUp);
  }
}

async function read(url, init) {
  const response = await fetch(url, init);
  return { status: response.status, body: new Uint8Array(await response.arrayBuffer()) };
}

// Node has the reason in the cause. No message has the URL or the token in it.
function reason(error) {
  const messages = [error?.message ?? String(error), error?.cause?.message].filter(Boolean);
  return messages.map((message) => message.split("\n")[0].slice(0, 200)).join(": ");
}

/** A timer that can be cancelled. */
export class Timeout {
  #timer;

  constructor(milliseconds) {
    this.passed = new Promise((resolve) => { this.#timer = setTimeout(resolve, milliseconds); });
  }

  cancel() {
    clearTimeout(this.#timer);
  }
}

let waitUntil = () => {};

/** Sets the function that keeps a request alive until a promise ends. */
export function setWaitUntil(keep) {
  waitUntil = keep;
}

/** Keeps the current request alive until a promise ends, however it ends. */
export function keepAlive(promise) {
  waitUntil(promise.then(() => {}, () => {}));
}

/** Makes the error to throw. */
export function makeError(kind, message, path) {
  switch (kind) {
    case "AuthenticationError": return new AuthenticationError(message);
    case "ConfigError": return new ConfigError(message, path);
    case "InputError": return new InputError(message, path);
    default: return new RedisError(message);
  }
}
