// The events of isolates, as the console has received them. Knows nothing of the page.

/** The newest events. One isolate answers each call, and not always the same. */
export class EventFeed {
  /** The events, newest first, at most `MAX_EVENTS`, each with its `isolate`. */
  events = [];
  /** The id of the isolate that answered last, or null. */
  isolate = null;
  /** How many events were lost, because an isolate had more than it keeps. */
  dropped = 0;
  #call;
  /** The `next` of each isolate: how many of its events were received. */
  #received = new Map();

  /** `call(method, path)` calls the API. */
  constructor(call) {
    this.#call = call;
  }

  /** Requests the events since the last call. Returns the response. */
  async poll() {
    let response = await this.#request();
    if (response.ok && this.#isAnother(response)) {
      // The numbers of an isolate are its own, so the request was for another one's.
      const isFirst = this.isolate === null;
      this.isolate = response.body.isolate;
      if (!isFirst) response = await this.#request();
    }
    if (response.ok && !this.#isAnother(response)) this.#receive(response.body);
    return response;
  }

  /** Drops the events that were received. They are not requested again. */
  clear() {
    this.events = [];
    this.dropped = 0;
  }

  #request() {
    return this.#call("GET", `/events?after=${this.#received.get(this.isolate) ?? 0}`);
  }

  #isAnother({ body }) {
    return body.isolate !== this.isolate;
  }

  #receive({ isolate, next, dropped, events }) {
    this.#received.set(isolate, next);
    this.dropped += dropped;
    const newest = events.map((event) => ({ ...event, isolate })).sort((a, b) => b.number - a.number);
    this.events = [...newest, ...this.events].slice(0, MAX_EVENTS);
  }
}

const MAX_EVENTS = 500;
