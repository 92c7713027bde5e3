import type { PipelineMonitor } from '../flow/monitor.js';
import type { Routing } from '../flow/routing.js';
import type { Scrape } from './scrape.js';

/** Reasons that are shown from the start, so that their first switch is an increase. */
const REASONS = ['silent', 'failing', 'ended', 'preferred'];

/** Adds what the routers of a pipeline have counted. */
export function scrapeRouterCounts(name: string, monitor: PipelineMonitor, scrape: Scrape): void {
  for (const { id, switches } of monitor.routings) {
    for (const reason of REASONS) scrape.add('routerSwitches', [name, id, reason], switches.get(reason) ?? 0);
  }
}

/** Adds how the providers of the routers of a pipeline are doing; `isMissed` says of which that is of interest. */
export function scrapeRouterStates(
  name: string,
  monitor: PipelineMonitor,
  scrape: Scrape,
  isMissed: (routing: Routing) => boolean,
): void {
  for (const routing of monitor.routings) {
    if (!isMissed(routing)) continue;
    for (const { name: provider, isActive, isWell } of routing.providers) {
      scrape.add('routerActive', [name, routing.id, provider], isActive ? 1 : 0);
      scrape.add('routerWell', [name, routing.id, provider], isWell ? 1 : 0);
    }
  }
}
