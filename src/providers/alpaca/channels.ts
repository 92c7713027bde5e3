import { alwaysOpen } from '../../policies/calendars/alwaysOpen.js';
import { usEquities } from '../../policies/calendars/usEquities.js';
import type { Series } from '../session.js';
import type { UsualSilence } from '../usualSilence.js';

/** What the fields of a subscribe message and of a `subscription` message are called. */
export type AlpacaChannel = 'trades' | 'quotes' | 'bars' | 'updatedBars' | 'dailyBars';

/** Real-time stock feeds, the crypto feed of US, and a feed with the symbol `FAKEPACA` that runs round the clock. */
export type AlpacaFeed = 'iex' | 'sip' | 'delayed_sip' | 'boats' | 'overnight' | 'test' | 'crypto';

/** Where a feed is on the stream's host (https://docs.alpaca.markets/docs/streaming-market-data, read 2026-01). */
export const FEED_PATHS: Readonly<Record<AlpacaFeed, string>> = {
  iex: 'v2/iex',
  sip: 'v2/sip',
  delayed_sip: 'v2/delayed_sip',
  boats: 'v1beta1/boats',
  overnight: 'v1beta1/overnight',
  test: 'v2/test',
  crypto: 'v1beta3/crypto/us',
};

export const FEEDS = Object.keys(FEED_PATHS) as readonly AlpacaFeed[];

const HOUR_MS = 3_600_000;

/**
 * Outside of the regular hours IEX is open from 08:00 to 17:00 only, and hardly trades: the regular ones can be relied on. The
 * feeds of overnight venues have no default, because there is no rule for the nights on which those rest.
 */
const SILENCES: Readonly<Record<AlpacaFeed, (() => UsualSilence) | undefined>> = {
  iex: () => ({ calendar: usEquities(), oneSymbolMs: 24 * HOUR_MS }),
  sip: () => ({ calendar: usEquities({ hours: 'extended' }), oneSymbolMs: 24 * HOUR_MS }),
  delayed_sip: () => ({ calendar: usEquities({ hours: 'extended' }), oneSymbolMs: 24 * HOUR_MS, delayMs: 15 * 60_000 }),
  boats: undefined,
  overnight: undefined,
  test: () => ({ calendar: alwaysOpen(), oneSymbolMs: 6 * HOUR_MS }),
  crypto: () => ({ calendar: alwaysOpen(), oneSymbolMs: 6 * HOUR_MS }),
};

export function silenceOf(feed: AlpacaFeed): UsualSilence | undefined {
  return SILENCES[feed]?.();
}

/**
 * The channels of a series; the first one confirms it. Minute bars come with the channel of their revisions, save on the test
 * feed, whose confirmations do not name it. Empty for what Alpaca does not stream.
 */
export function channelsOf({ of, timeframe = '1m' }: Series, feed: AlpacaFeed): readonly AlpacaChannel[] {
  if (of === 'trade') return ['trades'];
  if (of === 'quote') return ['quotes'];
  if (of !== 'bar') return [];
  if (timeframe === '1m') return feed === 'test' ? ['bars'] : ['bars', 'updatedBars'];
  return timeframe === '1d' && feed !== 'test' ? ['dailyBars'] : [];
}

export function seriesKey({ of, symbol, timeframe }: Series): string {
  return of === 'bar' ? `${of} ${timeframe ?? '1m'} ${symbol}` : `${of} ${symbol}`;
}

/** A series in words: `bars (1d) of AAPL`. */
export function seriesText({ of, symbol, timeframe }: Series): string {
  return of === 'bar' ? `bars (${timeframe ?? '1m'}) of ${symbol}` : `${of}s of ${symbol}`;
}
