import type { Frame } from '../../../providers/session.js';
import { simulatedDay } from '../../market/simulatedDay.js';
import { type Cluster, channelOf, elementOf, type WireElement } from './wire.js';

export interface MassiveCorpusConfig {
  /** Default `stocks`. */
  readonly cluster?: Cluster;
  readonly seed: number;
}

/** A time of 19 digits, as it is on the wire. */
const NANOS = '1767623412083456789';

/** Elements that make no record, and statuses, as texts. */
const OTHERS: readonly string[] = [
  `{"ev":"LULD","T":"AAPL","h":240,"l":215,"i":[7],"z":3,"t":${NANOS},"q":5}`,
  `{"ev":"NOI","T":"AAPL","t":${NANOS},"at":930,"a":"M","i":44,"x":10,"o":480,"p":440,"b":25.03}`,
  `{"ev":"FMV","sym":"AAPL","fmv":227.1,"t":${NANOS}}`,
  '{"ev":"V","T":"I:SPX","val":6000.12,"t":1767623412083}',
  '{"ev":"status","status":"connected","message":"Connected Successfully"}',
  '{"ev":"status","status":"auth_success","message":"authenticated"}',
  '{"ev":"status","status":"success","message":"subscribed to: T.AAPL"}',
  '{"ev":"status","status":"success","message":"unsubscribed to: T.AAPL"}',
  '{"ev":"status","status":"error","message":"not authorized"}',
];

/** Symbols as each cluster spells them. */
const SYMBOLS: Readonly<Record<Cluster, readonly string[]>> = {
  stocks: ['AAPL', 'BRK.B'],
  options: ['O:SPY261218C00600000', 'O:AAPL261218P00225000'],
  indices: ['I:SPX'],
  forex: ['EUR/USD'],
  crypto: ['BTC-USD', 'ETH-USD'],
  futures: ['CLZ6'],
};

const MAX_ELEMENTS = 8;
/** After so many frames comes one without a record. */
const OTHER_EVERY = 10;

/**
 * Frames as Massive sends them, without an end: of a busy day, with late trades and revisions of bars, mixed channels in one frame, and
 * statuses and events without a record among them. The same seed gives the same frames.
 */
export function* massiveCorpus({ cluster = 'stocks', seed }: MassiveCorpusConfig): Generator<Frame> {
  for (let day = 0; ; day += 1) {
    let elements: WireElement[] = [];
    let frames = 0;
    const own =
      cluster === 'crypto' ? { symbols: [], crypto: SYMBOLS.crypto } : { symbols: SYMBOLS[cluster], crypto: [] };
    // Trades of indices are only made for their bars.
    const rate = cluster === 'indices' ? { tradesPerMinute: 3, quotesPerTrade: 0 } : {};
    const config = { ...own, ...rate, from: '09:59', late: 0.1, corrected: 0.1 };
    for (const event of simulatedDay({ ...config, seed: seed + day })) {
      if (!('record' in event)) continue;
      const channel = channelOf(event.record, cluster);
      if (channel === undefined) continue;
      elements.push(elementOf(event.record, channel, cluster));
      if (elements.length <= event.at % MAX_ELEMENTS) continue;
      yield JSON.stringify(elements);
      elements = [];
      frames += 1;
      if (frames % OTHER_EVERY === 0) yield `[${OTHERS[(frames / OTHER_EVERY) % OTHERS.length]}]`;
    }
  }
}
