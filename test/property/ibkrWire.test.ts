import { expect, it } from 'vitest';
import { Xoshiro128 } from '../../src/primitives/xoshiro128.js';
import { ibkr } from '../../src/providers/ibkr/index.js';
import { startFakeGateway } from '../../src/testing/index.js';
import { encodeMessage, type WireField } from '../../src/testing/venues/ibkr/wire.js';
import { observe, settled } from '../support/collect.js';

const START = 1_767_623_400;

const MESSAGES: readonly (readonly WireField[])[] = [
  [99, 2, 2, START, 190.5, 100, 0, 'ARCA', 'T I'],
  [99, 3, 3, START, 190, 191, 3, 4, 0],
  [50, 3, 4, START, 1, 3, 0.5, 2, 100, 1.5, 4],
  [17, 5, '20260105 09:30:00', '20260105 10:30:00', 1, START, 1, 3, 0.5, 2, 100, 1.5, 4],
  [90, 5, 4, START, 1, 2, 3, 0.5, 1.5, 100],
  [4, 2, -1, 2104, 'Market data farm connection is OK:usfarm', ''],
  [4, 2, 3, 399, 'words', '{"a":1}'],
  [85, 1, 'FAKE', 'News'],
  [97, 5, 1, START, 0, 1, 2, 3, 4, 1],
  [81, 6, 0.01, 'NMS0', 3],
  [10, 1, 'AAPL', 'STK'],
  [200, 'unknown'],
];

/** A message with some bytes, its length or its fields changed. */
function damagedMessage(random: Xoshiro128): Buffer {
  const fields = [...MESSAGES[random.below(MESSAGES.length)]!];
  const at = 1 + random.below(fields.length - 1);
  const way = random.below(4);
  if (way === 0) fields[at] = [-5, 4e9, 1e300, 'NaN', '', '{', '\\u00', '-'][random.below(8)];
  if (way === 1) fields.splice(at, 1 + random.below(3));
  const bytes = encodeMessage(fields);
  if (way === 2) bytes[random.below(bytes.length)] = random.below(256);
  if (way === 3) bytes.writeInt32BE([-4, -1, 0, 1, 3, 0x7fffffff][random.below(6)]!);
  return bytes;
}

it('damaged bytes on the wire neither end the process nor the stream', { timeout: 60_000 }, async () => {
  const random = Xoshiro128.fromSeed(7);
  const gateway = await startFakeGateway();
  let rejected = 0;
  let retries = 0;
  const provider = ibkr({
    url: gateway.url,
    initialMs: 1,
    maxMs: 1,
    jitter: 'none',
    onRejected: () => {
      rejected += 1;
    },
    onRetry: () => {
      retries += 1;
    },
  });
  const seen = observe(provider.stream({ kinds: ['trade'], symbols: ['AAPL'] }));
  for (let round = 0; round < 300; round += 1) {
    // Before the login the first message is the version, and one that cannot be spoken ends the stream.
    await gateway.until(() => gateway.connections > 0 && gateway.clientIds.every((id) => id >= 0));
    gateway.send(damagedMessage(random));
    // A message that is longer than it says would swallow all others.
    if (round % 10 === 9) gateway.reset();
    await settled(6);
  }
  gateway.reset();
  const { logins } = gateway;
  await gateway.until((venue) => venue.logins > logins && venue.subscriptions.length === 1);
  const before = seen.items.length;
  const ts = START * 1_000;
  gateway.publish([{ kind: 'trade', vendor: 'ibkr', symbol: 'AAPL', ts, price: 42, size: 1, id: '0' }]);
  await seen.count(before + 1);
  expect(seen.end).toBeUndefined();
  expect(seen.items.at(-1)).toMatchObject({ price: 42 });
  expect(retries).toBeGreaterThan(20);
  expect(rejected).toBeGreaterThan(0);
  seen.unsubscribe();
  await gateway.close();
});
