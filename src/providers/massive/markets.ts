import type { RecordKind } from '../../market/recordKinds.js';
import { alwaysOpen } from '../../policies/calendars/alwaysOpen.js';
import { fxWeek } from '../../policies/calendars/fxWeek.js';
import { usEquities } from '../../policies/calendars/usEquities.js';
import { usFutures } from '../../policies/calendars/usFutures.js';
import type { UsualSilence } from '../usualSilence.js';

/** The name of the vendor in records and errors. */
export const VENDOR = 'massive';

/** A cluster of the vendor: a path of its stream, and a connection of its own. */
export type MassiveMarket = 'stocks' | 'options' | 'indices' | 'forex' | 'crypto' | 'futures';

export type MassiveTimeframe = '1m' | '1s';

interface Channels {
  readonly trade?: string;
  readonly quote?: string;
  readonly bar: Readonly<Record<MassiveTimeframe, string>>;
}

interface Market {
  /** The kinds that it streams. */
  readonly kinds: readonly RecordKind[];
  readonly channels: Channels;
  /** What a ticker has in front over REST. */
  readonly prefix: string;
}

const LISTED: Channels = { trade: 'T', quote: 'Q', bar: { '1m': 'AM', '1s': 'A' } };

/**
 * What each market streams, by the vendor's names of channels (https://massive.com/docs/websocket, read 2026-11). Index values (`V`),
 * price bands (`LULD`), imbalances (`NOI`) and fair values (`FMV`) are known too, but make no record.
 */
export const MARKETS: Readonly<Record<MassiveMarket, Market>> = {
  stocks: { kinds: ['bar', 'trade', 'quote'], channels: LISTED, prefix: '' },
  options: { kinds: ['bar', 'trade', 'quote'], channels: LISTED, prefix: 'O:' },
  indices: { kinds: ['bar'], channels: { bar: LISTED.bar }, prefix: 'I:' },
  forex: { kinds: ['bar', 'quote'], channels: { quote: 'C', bar: { '1m': 'CA', '1s': 'CAS' } }, prefix: 'C:' },
  crypto: {
    kinds: ['bar', 'trade', 'quote'],
    channels: { trade: 'XT', quote: 'XQ', bar: { '1m': 'XA', '1s': 'XAS' } },
    prefix: 'X:',
  },
  futures: { kinds: ['bar', 'trade', 'quote'], channels: LISTED, prefix: '' },
};

export const MARKET_NAMES = Object.keys(MARKETS) as readonly MassiveMarket[];

/** The timeframes of live bars; the first is the default. */
export const TIMEFRAMES: readonly MassiveTimeframe[] = ['1m', '1s'];

/**
 * A symbol of the stream as REST spells it: `BTC-USD` is `X:BTCUSD`, `EUR/USD` is `C:EURUSD`. Those of other markets are the same on
 * both sides, and one that is spelled as REST does already stays as it is.
 */
export function restTicker(market: MassiveMarket, symbol: string): string {
  if (market !== 'crypto' && market !== 'forex') return symbol;
  const { prefix } = MARKETS[market];
  return symbol.startsWith(prefix) ? symbol : `${prefix}${symbol.replace(/[-/]/, '')}`;
}

/** Every price of a market is above this: spreads of futures may be negative, and an index may be anything. */
export function lowestPrice(market: MassiveMarket): number {
  return market === 'futures' || market === 'indices' ? Number.NEGATIVE_INFINITY : 0;
}

const HOUR_MS = 3_600_000;

/** The delayed stream is that late. */
const DELAY_MS = 15 * 60_000;

/** Some prices of currencies begin minutes after the week does. */
const FX_LATE_MS = 10 * 60_000;

/** Shares and contracts that hardly trade are silent for most of a day; pairs of currencies are quoted all the time. */
export function silenceOf(market: MassiveMarket, delayed: boolean): UsualSilence {
  const usual = SILENCES[market]();
  return { ...usual, delayMs: (usual.delayMs ?? 0) + (delayed ? DELAY_MS : 0) };
}

const SILENCES: Readonly<Record<MassiveMarket, () => UsualSilence>> = {
  stocks: () => ({ calendar: usEquities({ hours: 'extended' }), oneSymbolMs: 24 * HOUR_MS }),
  options: () => ({ calendar: usEquities(), oneSymbolMs: 24 * HOUR_MS }),
  indices: () => ({ calendar: usEquities(), oneSymbolMs: 24 * HOUR_MS }),
  forex: () => ({ calendar: fxWeek(), oneSymbolMs: HOUR_MS, delayMs: FX_LATE_MS }),
  crypto: () => ({ calendar: alwaysOpen(), oneSymbolMs: 6 * HOUR_MS }),
  futures: () => ({ calendar: usFutures(), oneSymbolMs: 24 * HOUR_MS }),
};
