// The plans of the configuration in force.

/** Reads the configuration when it is first needed, and again when a section asks for it. */
export class Plans {
  #admin;
  #response = null;

  constructor(admin) {
    this.#admin = admin;
  }

  /** Reads the configuration, from the API if `again`. Returns the response. */
  async configuration({ again = false } = {}) {
    if (again || this.#response === null) {
      const response = this.#admin.call("GET", "/configuration");
      this.#response = response;
      // A failure is not remembered.
      if (!(await response).ok && this.#response === response) this.#response = null;
      return response;
    }
    return this.#response;
  }

  /** Returns the plans by name, none if they cannot be read. */
  async byName() {
    const response = await this.configuration();
    return response.ok ? response.body.plans : {};
  }

  /** Forgets the configuration. */
  clear() {
    this.#response = null;
  }
}
