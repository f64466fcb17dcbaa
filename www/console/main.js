// The console: unlocks the admin API, and shows one of its sections.

import { AdminApi } from "../page/admin-api.js";
import { byId } from "../page/dom.js";
import { showHealth } from "../page/health.js";
import { tokenForm } from "../page/token-form.js";
import { configurationSection } from "./configuration-section.js";
import { healthSection } from "./health-section.js";
import { liveSection } from "./live-section.js";
import { Plans } from "./plans.js";
import { router } from "./router.js";
import { tenantsSection } from "./tenants-section.js";
import { usageSection } from "./usage-section.js";

const admin = new AdminApi({ fetch: (...request) => fetch(...request), onDenied: (message) => form.denied(message) });
const plans = new Plans(admin);
const sections = {
  tenants: tenantsSection({ admin, plans }),
  usage: usageSection({ admin }),
  live: liveSection({ admin }),
  configuration: configurationSection({ admin, plans }),
  health: healthSection({ admin }),
};
const routes = router(sections);
const form = tokenForm(admin, {
  onOpen() {
    byId("access").hidden = true;
    routes.open();
  },
  onClose() {
    routes.close();
    // What the API said is no longer on the page either.
    for (const section of Object.values(sections)) section.clear();
    plans.clear();
    byId("access").hidden = false;
  },
});

byId("skip").addEventListener("click", (event) => {
  // The fragment selects a section.
  event.preventDefault();
  byId("content").focus();
});
showHealth();
