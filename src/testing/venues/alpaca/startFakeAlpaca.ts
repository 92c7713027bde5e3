import { eventLoopScheduler } from '../../../primitives/eventLoopScheduler.js';
import { duration, having, type OptionsOf, readOptions, text } from '../../../primitives/options.js';
import { AlpacaVenue } from './alpacaVenue.js';
import type { FakeAlpaca, FakeAlpacaConfig } from './fakeAlpaca.js';

const OPTIONS = {
  host: text().default('127.0.0.1'),
  key: text().default('PKFAKEALPACA00000000'),
  secret: text().default('fake-alpaca-secret-0000'),
  authTimeoutMs: duration({ min: 1 }).default(10_000),
  slowGraceMs: duration().default(50),
  scheduler: having('now', 'schedule').default(eventLoopScheduler),
} satisfies OptionsOf<FakeAlpacaConfig>;

/**
 * Starts a server on loopback that speaks Alpaca's streaming protocol (version 2) and its REST API for history, in the way of
 * https://docs.alpaca.markets/docs/streaming-market-data (read 2026-01), and misbehaves on request. It serves all feeds, JSON and
 * MessagePack. A trade that is published again with another price or size is sent as a correction, and a bar as an update.
 *
 * @example
 * ```ts
 * import { startFakeAlpaca } from 'sluice/testing';
 *
 * const venue = await startFakeAlpaca();
 * console.log(venue.url, venue.key);
 * await venue.until(({ subscriptions }) => subscriptions.includes('trades.AAPL'));
 * venue.publish([{ kind: 'trade', vendor: 'sim', symbol: 'AAPL', ts: 1_767_623_412_083, price: 227, size: 100, id: '1' }]);
 * await venue.close();
 * ```
 */
export async function startFakeAlpaca(config: FakeAlpacaConfig = {}): Promise<FakeAlpaca> {
  const read = readOptions('startFakeAlpaca', config, OPTIONS);
  const venue = new AlpacaVenue(read);
  await venue.listen(read.host);
  return venue;
}
