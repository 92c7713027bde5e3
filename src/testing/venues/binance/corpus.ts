import { Xoshiro128 } from '../../../primitives/xoshiro128.js';
import { RandomRecords } from '../randomRecords.js';
import { payloadsOf } from './binanceFrames.js';

export interface BinanceCorpusConfig {
  /** Any safe integer: the same seed gives the same frames. */
  readonly seed: number;
  /** Default `BTCUSDT`, `ETHUSDT` and `SOLUSDT`. */
  readonly symbols?: readonly string[];
}

/** Messages about the connection. */
const OTHERS: readonly string[] = [
  '{"result":null,"id":1}',
  '{"result":["btcusdt@trade"],"id":2}',
  '{"error":{"code":2,"msg":"Invalid request: invalid stream"},"id":3}',
  '{"code":3,"msg":"Invalid JSON: expected value at line 1 column 1"}',
  '{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1767623400000}}',
];

/** Frames as Binance sends them over combined streams, without an end, with messages about the connection among them. */
export function* binanceCorpus({
  seed,
  symbols = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'],
}: BinanceCorpusConfig): Generator<string> {
  const random = Xoshiro128.fromSeed(seed);
  const records = new RandomRecords('binance', symbols, random);
  const makers = [
    () => records.trade(),
    () => records.trade(),
    () => records.quote(),
    () => records.quote(),
    () => records.bar('1m', 60_000),
    () => records.bar('1s', 1_000),
  ];
  for (;;) {
    const record = makers[random.below(makers.length)]!();
    const payloads = payloadsOf(record, random.below(8) === 0 ? 1000 : 1);
    const [stream, data] = payloads[random.below(payloads.length)]!;
    yield JSON.stringify({ stream, data });
    if (random.below(25) === 0) yield OTHERS[random.below(OTHERS.length)]!;
  }
}
