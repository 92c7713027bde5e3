import type { MarketEvent } from '../../../market/recordKinds.js';
import { Xoshiro128 } from '../../../primitives/xoshiro128.js';
import { RandomRecords } from '../randomRecords.js';
import { itemOf, LISTS, timeText } from './coinbaseFrames.js';

export interface CoinbaseCorpusConfig {
  /** Any safe integer: the same seed gives the same frames. */
  readonly seed: number;
  /** Default `BTC-USD`, `ETH-USD` and `SOL-USD`. */
  readonly products?: readonly string[];
}

const MAX_IN_ONE = 5;

/** Frames as Coinbase sends them, numbered, without an end, with messages about the connection among them. */
export function* coinbaseCorpus({
  seed,
  products = ['BTC-USD', 'ETH-USD', 'SOL-USD'],
}: CoinbaseCorpusConfig): Generator<string> {
  const random = Xoshiro128.fromSeed(seed);
  const records = new RandomRecords('coinbase', products, random);
  const makers: readonly (() => MarketEvent)[] = [
    () => records.trade(),
    () => records.quote(),
    () => records.bar('5m', 300_000),
  ];
  let sequence_num = 0;
  const message = (channel: string, events: readonly object[]) =>
    JSON.stringify({ channel, timestamp: timeText(records.now), sequence_num: sequence_num++, events });
  for (;;) {
    const make = makers[random.below(makers.length)]!;
    const items = Array.from({ length: 1 + random.below(MAX_IN_ONE) }, () => itemOf(make())!);
    const { channel } = items[0]!;
    const data = items.map((item) => item.data);
    const isSnapshot = random.below(20) === 0;
    const type = isSnapshot ? 'snapshot' : 'update';
    yield message(channel, [{ type, [LISTS[channel]!]: isSnapshot ? data.reverse() : data }]);
    if (random.below(10) === 0) {
      const current_time = '2026-01-05 14:30:00.25788961 +0000 UTC m=+139651.272674714';
      yield message('heartbeats', [{ current_time, heartbeat_counter: sequence_num }]);
    }
    if (random.below(25) === 0) yield message('subscriptions', [{ subscriptions: { [channel]: products } }]);
    if (random.below(100) === 0) yield '{"type":"error","message":"authentication failure"}';
  }
}
