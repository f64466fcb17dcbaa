// A client of the admin API. The token is stored in this object and nowhere else.

import { errorMessage, problemName } from "./api-errors.js";
import { parseRetryAfter } from "./response.js";

export class AdminApi {
  #token = null;
  #fetch;
  #onDenied;

  /** `onDenied(message)` is called when the API refuses a token that it accepted before. */
  constructor({ fetch, onDenied }) {
    this.#fetch = fetch;
    this.#onDenied = onDenied;
  }

  /** The token, or null. */
  get token() {
    return this.#token;
  }

  /**
   * Requests the first page of tenants with a token, and stores the token if the API accepts it. Returns the
   * response.
   */
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
   * Calls the API and returns `{ ok, status, body, headers, problem, message }`. For an error, `message` describes
   * it and `problem` is its name, or null if the problem is not one of the API's own. `status` is null if no
   * response came. A change with `ifMatch`, an entity tag, applies only to that version.
   */
  async call(method, path, body, ifMatch = null) {
    const response = await this.#send(this.#token, method, path, body, ifMatch);
    if (response.status === 401 && this.#token !== null) {
      this.lock();
      this.#onDenied(response.message);
    }
    return response;
  }

  async #send(token, method, path, body, ifMatch = null) {
    const headers = { Authorization: `Bearer ${token}` };
    if (ifMatch !== null) headers["If-Match"] = ifMatch;
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
      return apiResponse(response, parseJson(await response.text()));
    } catch (error) {
      const time = error.name === "TimeoutError" ? ` within ${TIMEOUT_MS / 1000} s` : "";
      return { ok: false, status: null, body: null, headers: new Headers(), problem: null, message: `sluicegate did not respond${time}.` };
    }
  }
}

function apiResponse({ ok, status, headers }, body) {
  const message = ok ? null : errorMessage(status, body, parseRetryAfter(headers.get("Retry-After"), Date.now()));
  return { ok, status, body, headers, problem: ok ? null : problemName(body), message };
}

function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const ROOT = "/_sluicegate/v1";
const TIMEOUT_MS = 15_000;
