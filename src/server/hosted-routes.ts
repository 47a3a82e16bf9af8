import type { HostedRoute } from './hosted-call.ts';
import { councilRoutes } from './hosted-council-routes.ts';
import { landingRoutes } from './hosted-landing-routes.ts';
import { repoRoutes } from './hosted-repo-routes.ts';
import { streamRoutes } from './hosted-stream-routes.ts';

/** By the name of their endpoint: they take the place of a contract's route of the same name. */
export const hostedRoutes: ReadonlyMap<string, HostedRoute> = new Map(
  [...repoRoutes, ...streamRoutes, ...landingRoutes, ...councilRoutes].map((route) => [
    route.endpoint.name,
    route,
  ]),
);
