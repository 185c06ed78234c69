/** @file Every path of the studio's API: the one table that the server reads. */
import { compareRoutes } from "./compare-routes.js";
import { detectRoutes } from "./detect-routes.js";
import { eventsRoute } from "./events-route.js";
import type { StudioRoute } from "./route.js";
import { runRoutes } from "./run-routes.js";
import { sampleRoutes } from "./sample-routes.js";

/** All routes. */
export const studioRoutes: readonly StudioRoute[] = [
  ...runRoutes,
  ...sampleRoutes,
  ...compareRoutes,
  ...detectRoutes,
  eventsRoute,
];
