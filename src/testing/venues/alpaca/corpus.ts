import type { Frame } from '../../../providers/session.js';
import { simulatedDay } from '../../market/simulatedDay.js';
import { Published } from './published.js';
import { type Encoding, frameOf } from './wire.js';

export interface AlpacaCorpusConfig {
  readonly encoding: Encoding;
  readonly seed: number;
}

/** Messages without a record, and messages about the connection. */
const OTHERS: readonly Readonly<Record<string, unknown>>[] = [
  { T: 'x', S: 'AAPL', i: 465, x: 'D', p: 227.05, s: 300, a: 'C', z: 'C', t: 1_767_623_412_083 },
  { T: 's', S: 'AAPL', sc: 'H', sm: 'Trading Halt', rc: 'T12', rm: 'Halted', z: 'C', t: 1_767_623_412_083 },
  { T: 'l', S: 'AAPL', u: 240, d: 215, i: 'B', z: 'C', t: 1_767_623_412_083 },
  { T: 'i', S: 'AAPL', p: 227, z: 'C', t: 1_767_623_412_083 },
  { T: 'success', msg: 'connected' },
  { T: 'success', msg: 'authenticated' },
  { T: 'subscription', trades: ['AAPL'], quotes: [], bars: ['*'], updatedBars: ['*'] },
  { T: 'error', code: 405, msg: 'symbol limit exceeded' },
];
const MAX_ELEMENTS = 8;

/** Frames as Alpaca sends them, without an end: of a busy day, with corrections and revisions, and other messages among them. */
export function* alpacaCorpus({ encoding, seed }: AlpacaCorpusConfig): Generator<Frame> {
  for (let day = 0; ; day++) {
    const published = new Published();
    let elements: Readonly<Record<string, unknown>>[] = [];
    let others = 0;
    const config = { symbols: ['AAPL', 'BRK.B'], crypto: ['BTC/USD'], from: '09:59', late: 0.1, corrected: 0.1 };
    for (const event of simulatedDay({ ...config, seed: seed + day })) {
      const element = 'record' in event ? published.add(event.record) : undefined;
      if (element) elements.push(element);
      if (elements.length <= event.at % MAX_ELEMENTS) continue;
      yield frameOf(elements, encoding);
      elements = [];
      others += 1;
      if (others % 10 === 0) yield frameOf([OTHERS[(others / 10) % OTHERS.length]!], encoding);
    }
  }
}
