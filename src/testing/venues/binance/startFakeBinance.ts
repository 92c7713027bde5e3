import { eventLoopScheduler } from '../../../primitives/eventLoopScheduler.js';
import { boolean, duration, having, integer, type OptionsOf, readOptions, text } from '../../../primitives/options.js';
import { FakeBinance, type FakeBinanceConfig } from './fakeBinance.js';

const DAY = 86_400_000;

const OPTIONS = {
  host: text().default('127.0.0.1'),
  pingEveryMs: duration({ above: 0 }).default(20_000),
  pongWithinMs: duration({ above: 0 }).default(60_000),
  messagesPerSecond: integer({ min: 1 }).default(5),
  maxStreams: integer({ min: 1 }).default(1024),
  connectionLifeMs: duration({ above: 0 }).default(DAY),
  weightPerMinute: integer({ min: 1 }).default(6_000),
  banMs: duration({ above: 0 }).default(120_000),
  pacesKlines: boolean().default(false),
  scheduler: having('now', 'schedule').default(eventLoopScheduler),
} satisfies OptionsOf<Partial<FakeBinanceConfig>>;

/**
 * A server on loopback that speaks the protocol of Binance's spot market data, for tests and for trying things out without the
 * internet: raw and combined streams, live subscriptions, pings, limits, `serverShutdown`, and klines and trades of the past over
 * HTTP at the same port. It is stricter than the vendor in one thing only: it says so when it ends a connection.
 *
 * ```ts
 * import { binance } from 'sluice/providers/binance';
 * import { startFakeBinance } from 'sluice/testing';
 *
 * const venue = await startFakeBinance();
 * const trades$ = binance({ url: venue.url }).stream({ kinds: ['trade'], symbols: ['BTCUSDT'] });
 * trades$.subscribe((record) => console.log(record));
 * await venue.until(({ subscriptions }) => subscriptions.length > 0);
 * venue.publish([{ kind: 'trade', vendor: 'binance', symbol: 'BTCUSDT', ts: Date.now(), price: 93_000, size: 0.1, id: '1' }]);
 * ```
 */
export async function startFakeBinance(config: Partial<FakeBinanceConfig> = {}): Promise<FakeBinance> {
  const read = readOptions('startFakeBinance', config, OPTIONS);
  const venue = new FakeBinance(read);
  await venue.listen(read.host);
  return venue;
}
