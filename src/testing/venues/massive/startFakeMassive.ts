import { eventLoopScheduler } from '../../../primitives/eventLoopScheduler.js';
import { duration, having, integer, type OptionsOf, oneOf, readOptions, text } from '../../../primitives/options.js';
import { FakeMassive, type FakeMassiveConfig } from './fakeMassive.js';

const OPTIONS = {
  host: text().default('127.0.0.1'),
  key: text().default('fake-massive-key-0000'),
  authTimeoutMs: duration({ min: 1 }).default(10_000),
  acksPerFrame: integer({ min: 1 }).default(100),
  errors: oneOf(['perSlot', 'perRequest']).default('perSlot'),
  quotaAfter: oneOf(['login', 'subscription']).default('login'),
  status: oneOf(['OK', 'DELAYED']).default('OK'),
  scheduler: having('now', 'schedule').default(eventLoopScheduler),
} satisfies OptionsOf<FakeMassiveConfig>;

/**
 * A server on loopback that speaks the protocol of Massive, for tests and for trying things out without a key: all clusters by their
 * paths over WebSocket, and bars, trades, quotes, option chains, news and financials of the past over HTTP at the same port.
 *
 * It answers as the vendor does, where that hurts too: a subscription to an unknown channel, or to what is held already, has no
 * answer; a refusal names no slot; a login that is rejected ends without a close frame; a sixth request in a minute is a 429.
 *
 * ```ts
 * import { massive } from 'sluice/providers/massive';
 * import { startFakeMassive } from 'sluice/testing';
 *
 * const venue = await startFakeMassive();
 * const provider = massive({ key: venue.secret, url: venue.url });
 * provider.stream({ kinds: ['trade'], symbols: ['AAPL'] }).subscribe((record) => console.log(record));
 * await venue.until(({ subscriptions }) => subscriptions.includes('T.AAPL'));
 * venue.publish([{ kind: 'trade', vendor: 'massive', symbol: 'AAPL', ts: Date.now(), price: 227, size: 100, id: '4:1' }]);
 * ```
 */
export async function startFakeMassive(config: FakeMassiveConfig = {}): Promise<FakeMassive> {
  const read = readOptions('startFakeMassive', config, OPTIONS);
  const venue = new FakeMassive(read);
  await venue.listen(read.host);
  return venue;
}
