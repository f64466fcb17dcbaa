// The section Usage: the overview of all tenants, or one tenant.

import { byId } from "../page/dom.js";
import { fragment } from "./router.js";
import { usageOfTenant } from "./usage-of-tenant.js";
import { usageOverview } from "./usage-overview.js";

/** Connects the section. Returns `show(id)`, `hide()` and `clear()`. */
export function usageSection({ admin }) {
  const form = byId("usage-form");
  const { tenant } = form.elements;
  const onFailure = (message) => {
    byId("usage-problem").textContent = message;
  };
  const ofTenant = usageOfTenant({ admin, onFailure });
  const overview = usageOverview({ admin, onFailure });

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const id = tenant.value.trim();
    if (id === "") {
      onFailure("Enter the ID of a tenant.");
      return tenant.focus();
    }
    location.hash = fragment("usage", id);
  });
  const clear = () => {
    onFailure("");
    ofTenant.clear();
    overview.clear();
  };

  return {
    hide: clear,
    clear() {
      form.reset();
      clear();
    },
    async show(id) {
      clear();
      tenant.value = id ?? "";
      byId("usage-all").hidden = id === null;
      if (id === null) await overview.show();
      else await ofTenant.show(id);
    },
  };
}
