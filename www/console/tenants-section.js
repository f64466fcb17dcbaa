// The section Tenants: a list with a search, and one tenant beside it.

import { byId } from "../page/dom.js";
import { newTenant } from "./new-tenant.js";
import { fragment } from "./router.js";
import { tenantDetail } from "./tenant-detail.js";
import { tenantList } from "./tenant-list.js";

/** Connects the section. Returns `show(id)`, `hide()` and `clear()`. */
export function tenantsSection({ admin, plans }) {
  const list = tenantList({ admin });
  const detail = tenantDetail({
    admin,
    plans,
    onChange: (tenant) => list.update(tenant),
    onGone(id) {
      list.remove(id);
      location.hash = fragment("tenants");
      byId("tenants-title").focus();
    },
  });
  const dialog = newTenant({
    admin,
    plans,
    onCreate(tenant) {
      list.add(tenant);
      location.hash = fragment("tenants", tenant.id);
    },
  });
  const section = byId("tenants-title").closest("section");
  let isOpen = false;

  return {
    async show(id) {
      list.choose(id);
      section.dataset.item = id ?? "";
      const opened = isOpen ? null : plans.byName().then((known) => (isOpen ? list.open(known) : undefined));
      isOpen = true;
      if (id === null) detail.clear();
      else await detail.show(id);
      await opened;
    },
    // A key that is shown once must not wait for somebody who comes back.
    hide: () => detail.clear(),
    clear() {
      isOpen = false;
      dialog.clear();
      detail.clear();
      list.clear();
      section.dataset.item = "";
    },
  };
}
