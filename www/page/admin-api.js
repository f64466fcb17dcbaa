// The gate's admin API as this page uses it. The token is kept in this object and nowhere else.

import { retryAfter } from "./response.js";
import { kind, sentence } from "./api-errors.js";

export class Admin {
  #token = null;
  #fetch;
  #onDenied;

  /** `onDenied(sentence)` is called when the API refuses the token that it has taken before. */
  constructor({ fetch, onDenied }) {
    this.#fetch = fetch;
    this.#onDenied = onDenied;
  }

  /** The token, or null. */
  get token() {
    return this.#token;
  }

  /** Tries a token; keeps it if the API takes it. Returns the answer to the first page of tenants. */
  async unlock(token) {
    const answer = await this.#send(token, "GET", "/tenants?limit=100");
    if (answer.ok) this.#token = token;
    return answer;
  }

  /** Forgets the token. */
  lock() {
    this.#token = null;
  }

  /**
   * Asks the API: `{ ok, status, body, headers, kind, sentence }`. Where the answer is not good, `kind` is the
   * name of the problem (null: none of the API's own) and `sentence` says it; status is null where no answer came.
   */
  async call(method, path, body) {
    const answer = await this.#send(this.#token, method, path, body);
    if (answer.status === 401 && this.#token !== null) {
      this.lock();
      this.#onDenied(answer.sentence);
    }
    return answer;
  }

  async #send(token, method, path, body) {
    const headers = { Authorization: `Bearer ${token}` };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const fetch = this.#fetch;
    try {
      const response = await fetch(ROOT + path, {
        method,
        headers,
        body: body === undefined ? null : JSON.stringify(body),
        cache: "no-store",
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      });
      return read(response, json(await response.text()));
    } catch (error) {
      const why = error.name === "TimeoutError" ? ` within ${ANSWER_WITHIN_MS / 1000} s` : "";
      return { ok: false, status: null, body: null, headers: new Headers(), kind: null, sentence: `The gate did not answer${why}.` };
    }
  }
}

function read({ ok, status, headers }, body) {
  const told = ok ? null : sentence(status, body, retryAfter(headers.get("Retry-After"), Date.now()));
  return { ok, status, body, headers, kind: ok ? null : kind(body), sentence: told };
}

function json(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const ROOT = "/_sluicegate/v1";
const ANSWER_WITHIN_MS = 15_000;
