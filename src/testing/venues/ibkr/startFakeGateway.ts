import { createServer } from 'node:net';
import { listenAt } from '../venueAddress.js';
import type { FakeGateway, FakeGatewayOptions } from './fakeGateway.js';
import { Gateway } from './gateway.js';

/**
 * Starts a fake TWS on loopback, at a port that the system chooses.
 *
 * @example
 * ```ts
 * import { ibkr } from 'sluice/providers/ibkr';
 * import { startFakeGateway } from 'sluice/testing';
 *
 * const gateway = await startFakeGateway();
 * const trades$ = ibkr({ url: gateway.url }).stream({ kinds: ['trade'], symbols: ['AAPL'] });
 * trades$.subscribe((record) => console.log(record));
 * await gateway.until((venue) => venue.subscriptions.includes('ticks AllLast AAPL'));
 * gateway.publish([{ kind: 'trade', vendor: 'ibkr', symbol: 'AAPL', ts: Date.now(), price: 190.5, size: 100, id: '0' }]);
 * ```
 */
export async function startFakeGateway(options: FakeGatewayOptions = {}): Promise<FakeGateway> {
  const server = createServer({ allowHalfOpen: false });
  await listenAt(server, options.host ?? '127.0.0.1');
  return new Gateway(server, options);
}
