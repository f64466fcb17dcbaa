// The gate's admin API as this page uses it. The token is kept in this object and nowhere else.

import { parseRetryAfter } from "./response.js";
import { errorMessage, problemName } from "./api-errors.js";

export class AdminApi {
  #token = null;
  #fetch;
  #onDenied;

  /** `onDenied(message)` is called when the API refuses the token that it has taken before. */
  constructor({ fetch, onDenied }) {
    this.#fetch = fetch;
    this.#onDenied = onDenied;
  }

  /** The token, or null. */
  get token() {
    return this.#token;
  }

  /** Tries a token; keeps it if the API takes it. Returns the response to the first page of tenants. */
  async unlock(token) {
    const response = await this.#send(token, "GET", "/tenants?limit=100");
    if (response.ok) this.#token = token;
    return response;
  }

  /** Forgets the token. */
  lock() {
    this.#token = null;
  }

  /**
   * Asks the API: `{ ok, status, body, headers, problem, message }`. Where the response is not good, `problem` is the
   * name of the problem (null: none of the API's own) and `message` says it; status is null where no response came.
   */
  async call(method, path, body) {
    const response = await this.#send(this.#token, method, path, body);
    if (response.status === 401 && this.#token !== null) {
      this.lock();
      this.#onDenied(response.message);
    }
    return response;
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
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      return apiResponse(response, json(await response.text()));
    } catch (error) {
      const why = error.name === "TimeoutError" ? ` within ${TIMEOUT_MS / 1000} s` : "";
      return { ok: false, status: null, body: null, headers: new Headers(), problem: null, message: `The gate did not respond${why}.` };
    }
  }
}

function apiResponse({ ok, status, headers }, body) {
  const text = ok ? null : errorMessage(status, body, parseRetryAfter(headers.get("Retry-After"), Date.now()));
  return { ok, status, body, headers, problem: ok ? null : problemName(body), message: text };
}

function json(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const ROOT = "/_sluicegate/v1";
const TIMEOUT_MS = 15_000;
