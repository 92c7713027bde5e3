import type { Feed } from '../flow/feed.js';
import type { PipelineMonitor } from '../flow/monitor.js';
import type { BoundedLabels } from './boundedLabels.js';
import { PROVIDER_STATES } from './catalogue.js';
import type { Scrape } from './scrape.js';

/** Causes that are shown from the start, so that their first gap is an increase. */
const CAUSES = ['reconnect', 'overflow', 'stale', 'sequence', 'restart'];

/** Of gaps in a store, which a person may have asked for too. */
export const ALL_CAUSES = [...CAUSES, 'requested'];

/** Adds what the feeds of a pipeline have counted. */
export function scrapeFeedCounts(name: string, monitor: PipelineMonitor, scrape: Scrape, causes: BoundedLabels): void {
  for (const feed of monitor.feeds) {
    const labels = [name, feed.id];
    scrape.add('providerMessages', labels, feed.messages);
    scrape.add('providerBytes', labels, feed.bytes);
    scrape.add('providerRecords', labels, feed.records);
    scrape.add('providerUnreadable', labels, feed.unreadable);
    scrape.add('providerReconnects', labels, feed.reconnects);
    scrape.add('providerConflated', [...labels, 'conflated'], feed.conflated);
    scrape.add('providerConflated', [...labels, 'replaced'], feed.replaced);
    scrape.add('providerOverflowed', labels, feed.overflowed);
    for (const cause of CAUSES) scrape.add('providerGaps', [...labels, causes.of(cause)], 0);
    for (const [cause, count] of feed.gapsBy) scrape.add('providerGaps', [...labels, causes.of(cause)], count);
  }
}

/** Adds how the feeds of a pipeline are doing; `isMissed` says of which that is of interest. */
export function scrapeFeedStates(
  name: string,
  monitor: PipelineMonitor,
  scrape: Scrape,
  now: number,
  isMissed: (feed: Feed) => boolean,
): void {
  for (const feed of monitor.feeds) {
    if (!isMissed(feed)) continue;
    const labels = [name, feed.id];
    for (const state of PROVIDER_STATES) scrape.add('providerState', [...labels, state], state === feed.state ? 1 : 0);
    for (const state of ['asked', 'confirmed', 'refused'] as const) {
      scrape.add('providerSubscriptions', [...labels, state], feed[state]);
    }
    scrape.add('providerWaiting', labels, feed.waiting);
    // Before the first message there is no such time, and after the clock was set back it is not in the future.
    if (feed.lastMessageAt === undefined) continue;
    scrape.add('providerSilence', labels, Math.max(0, now - feed.lastMessageAt) / 1_000);
  }
}
