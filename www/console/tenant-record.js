// One tenant as this tab knows it, and changes that apply only to that version. Knows nothing of the page.

/** A tenant that was read from the API. */
export class TenantRecord {
  /** The document, as of the last response. */
  tenant;
  #admin;
  #etag;

  constructor(admin, { body, headers }) {
    this.#admin = admin;
    this.#keep(body, headers);
  }

  /** Reads a tenant. Returns `{ record, response }`; the record is null if there is none. */
  static async read(admin, id) {
    const response = await admin.call("GET", path(id));
    return { record: response.ok ? new TenantRecord(admin, response) : null, response };
  }

  /** Reads the newest version. Returns the response. */
  async reload() {
    return this.#remember(await this.#admin.call("GET", this.#path()));
  }

  /** Changes settings by a merge patch, if nobody has changed the tenant meanwhile. Returns the response. */
  async patch(settings) {
    return this.#remember(await this.#admin.call("PATCH", this.#path(), settings, this.#etag));
  }

  /** Deletes the tenant, if nobody has changed it meanwhile. Returns the response. */
  delete() {
    return this.#admin.call("DELETE", this.#path(), undefined, this.#etag);
  }

  /** Creates a key that expires at a timestamp, or never (null). Returns the response, which has the key. */
  async createKey(expires) {
    const response = await this.#admin.call("POST", `${this.#path()}/keys`, { expires });
    if (response.ok) await this.reload();
    return response;
  }

  /** Revokes a key. Returns the response. */
  async revokeKey(key) {
    const response = await this.#admin.call("DELETE", `${this.#path()}/keys/${encodeURIComponent(key)}`);
    if (response.ok) await this.reload();
    return response;
  }

  #path() {
    return path(this.tenant.id);
  }

  #remember(response) {
    if (response.ok) this.#keep(response.body, response.headers);
    return response;
  }

  #keep(tenant, headers) {
    this.tenant = tenant;
    this.#etag = headers.get("ETag");
  }
}

function path(id) {
  return `/tenants/${encodeURIComponent(id)}`;
}
