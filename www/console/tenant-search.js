// Searches tenants page by page. The API lists them in the order of their ids, after a cursor. Pure except for `call`.

/**
 * A search for tenants whose id begins with `prefix`, optionally with one plan and one status. `call(method, path)`
 * calls the API.
 */
export class TenantSearch {
  #call;
  #prefix;
  #plan;
  #status;
  #cursor;
  /** Whether the tenant with exactly this id is still to be read: the list begins after its cursor. */
  #ownIsUnread;
  /** How many tenants with this prefix were read so far. */
  examined = 0;
  /** Whether there is nothing more to read. */
  done;

  constructor(call, { prefix = "", plan = "", status = "" } = {}) {
    this.#call = call;
    this.#prefix = prefix.trim().toLowerCase();
    this.#plan = plan;
    this.#status = status;
    // All ids that begin with "ac." come after "ac".
    this.#cursor = this.#prefix.replace(/[.-]+$/, "");
    this.#ownIsUnread = ID.test(this.#prefix);
    // No id contains anything else.
    this.done = !/^([a-z0-9][a-z0-9.-]{0,63})?$/.test(this.#prefix);
  }

  /**
   * Reads until `wanted` tenants are found, or at most `MAX_PAGES` pages. Returns `{ tenants, failure }`: what was found,
   * and the response that ended the search too early, or null.
   */
  async next(wanted) {
    const tenants = [];
    for (let page = 0; page < MAX_PAGES && tenants.length < wanted && !this.done; page += 1) {
      if (this.#ownIsUnread) {
        const own = await this.#call("GET", `/tenants/${this.#prefix}`);
        if (!own.ok && own.problem !== "tenant-not-found") return { tenants, failure: own };
        this.#ownIsUnread = false;
        if (own.ok) tenants.push(...this.#matching([own.body]));
      }
      const after = this.#cursor === "" ? "" : `&cursor=${encodeURIComponent(this.#cursor)}`;
      const response = await this.#call("GET", `/tenants?limit=${PAGE}${after}`);
      if (!response.ok) return { tenants, failure: response };
      tenants.push(...this.#matching(response.body.tenants));
      this.#advance(response.body);
    }
    return { tenants, failure: null };
  }

  #matching(tenants) {
    const known = tenants.filter(({ id }) => id.startsWith(this.#prefix));
    this.examined += known.length;
    const has = (wanted, value) => wanted === "" || wanted === value;
    return known.filter(({ plan, status }) => has(this.#plan, plan) && has(this.#status, status));
  }

  #advance({ tenants, cursor }) {
    const last = tenants.at(-1)?.id ?? "";
    const isPast = last > this.#prefix && !last.startsWith(this.#prefix);
    this.done = cursor === null || isPast;
    this.#cursor = cursor ?? this.#cursor;
  }
}

const ID = /^[a-z0-9]([a-z0-9.-]{0,62}[a-z0-9])?$/;
// The most that the API returns at once.
const PAGE = 100;
// One press reads at most this many pages: a rare plan among many tenants must not read them all.
const MAX_PAGES = 10;
