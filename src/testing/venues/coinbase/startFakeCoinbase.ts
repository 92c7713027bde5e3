import { eventLoopScheduler } from '../../../primitives/eventLoopScheduler.js';
import { duration, having, integer, type OptionsOf, readOptions, text } from '../../../primitives/options.js';
import { FakeCoinbase, type FakeCoinbaseConfig } from './fakeCoinbase.js';

const OPTIONS = {
  host: text().default('127.0.0.1'),
  subscribeWithinMs: duration({ above: 0 }).default(5_000),
  heartbeatEveryMs: duration({ above: 0 }).default(1_000),
  silentAfterMs: duration({ above: 0 }).default(75_000),
  messagesPerSecond: integer({ min: 1 }).default(8),
  requestsPerSecond: integer({ min: 1 }).default(10),
  scheduler: having('now', 'schedule').default(eventLoopScheduler),
} satisfies OptionsOf<Partial<FakeCoinbaseConfig>>;

/**
 * A server on loopback that speaks the protocol of Coinbase's Advanced Trade market data, for tests and for trying things out without
 * the internet: one channel per request, answers that list all subscriptions, snapshots, heartbeats, numbered messages, and
 * candles of the past over HTTP at the same port.
 *
 * The vendor does not say when a candle is final, so a bar that is published as final arrives as a forming one, until the
 * next one is published.
 *
 * ```ts
 * import { coinbase } from 'sluice/providers/coinbase';
 * import { startFakeCoinbase } from 'sluice/testing';
 *
 * const venue = await startFakeCoinbase();
 * const trades$ = coinbase({ url: venue.url }).stream({ kinds: ['trade'], symbols: ['BTC-USD'] });
 * trades$.subscribe((record) => console.log(record));
 * await venue.until(({ subscriptions }) => subscriptions.length > 0);
 * venue.publish([{ kind: 'trade', vendor: 'coinbase', symbol: 'BTC-USD', ts: Date.now(), price: 93_000, size: 0.1, id: '1' }]);
 * ```
 */
export async function startFakeCoinbase(config: Partial<FakeCoinbaseConfig> = {}): Promise<FakeCoinbase> {
  const read = readOptions('startFakeCoinbase', config, OPTIONS);
  const venue = new FakeCoinbase(read);
  await venue.listen(read.host);
  return venue;
}
