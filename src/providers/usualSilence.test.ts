import { afterEach, describe, expect, it, vi } from 'vitest';
import { alwaysOpen } from '../policies/calendars/alwaysOpen.js';
import { alpaca } from './alpaca/alpaca.js';
import { FEEDS } from './alpaca/channels.js';
import { binance } from './binance/binance.js';
import { coinbase } from './coinbase/coinbase.js';
import * as definition from './defineProvider.js';
import { ibkr } from './ibkr/ibkr.js';
import { MARKET_NAMES } from './massive/markets.js';
import { massive } from './massive/massive.js';
import type { Provider, ProviderParts } from './provider.js';
import { staleAfterOf, type UsualSilence } from './usualSilence.js';

vi.mock(import('./defineProvider.js'), { spy: true });

afterEach(() => vi.clearAllMocks());

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** What a venue tells the stream about itself. */
function silenceOf(make: () => Provider): UsualSilence | undefined {
  make();
  const [parts] = vi.mocked(definition.defineProvider).mock.lastCall as [ProviderParts];
  return parts.silence;
}

/** `pre`: a Wednesday, 05:00 in New York; `day` 12:00; `evening` 19:30; `night` 23:00; and a Saturday at noon. */
const INSTANTS = {
  pre: '2026-10-14T09:00:00Z',
  day: '2026-10-14T16:00:00Z',
  evening: '2026-10-14T23:30:00Z',
  night: '2026-10-15T03:00:00Z',
  saturday: '2026-10-17T16:00:00Z',
};

const openAt = (silence: UsualSilence | undefined) =>
  Object.entries(INSTANTS)
    .filter(([, at]) => silence?.calendar.isOpen(Date.parse(at)))
    .map(([name]) => name)
    .join(' ');

/** For one symbol, for a hundred, for all. */
const spans = (silence: UsualSilence | undefined) =>
  silence && [1, 100, Number.POSITIVE_INFINITY].map((symbols) => staleAfterOf(silence, symbols) / MINUTE);

const ALWAYS = 'pre day evening night saturday';
const DAY = [24 * 60, 14.4, 5];
const HOURS = [360, 5, 5];

describe('the usual silence', () => {
  it('of many symbols is shorter than that of one, and never shorter than five minutes', () => {
    const silence = { calendar: alwaysOpen(), oneSymbolMs: 24 * HOUR };
    expect(staleAfterOf(silence, 1)).toBe(24 * HOUR);
    expect(staleAfterOf(silence, 7)).toBe(Math.ceil((24 * HOUR) / 7));
    expect(staleAfterOf(silence, 288)).toBe(5 * MINUTE);
    expect(staleAfterOf(silence, 10_000)).toBe(5 * MINUTE);
    expect(staleAfterOf({ ...silence, delayMs: 15 * MINUTE }, 10_000)).toBe(20 * MINUTE);
    expect(staleAfterOf(silence, Number.POSITIVE_INFINITY)).toBe(5 * MINUTE);
    expect(staleAfterOf(silence, 0)).toBe(Number.POSITIVE_INFINITY);
  });

  it.each([
    ['stocks', 'pre day evening', DAY],
    ['options', 'day', DAY],
    ['indices', 'day', DAY],
    ['forex', 'pre day evening night', [70, 15, 15]],
    ['crypto', ALWAYS, HOURS],
    ['futures', 'pre day evening night', DAY],
  ] as const)('of Massive’s %s', (market, open, minutes) => {
    const silence = silenceOf(() => massive({ key: 'k', market }));
    expect(openAt(silence)).toBe(open);
    expect(spans(silence)).toEqual(minutes);
    const late = silenceOf(() => massive({ key: 'k', market, delayed: true }));
    expect(openAt(late)).toBe(open);
    expect(spans(late)).toEqual(minutes.map((span) => span + 15));
  });

  it.each([
    ['iex', 'day', DAY],
    ['sip', 'pre day evening', DAY],
    ['delayed_sip', 'pre day evening', [24 * 60 + 15, 29.4, 20]],
    ['boats', '', undefined],
    ['overnight', '', undefined],
    ['test', ALWAYS, HOURS],
    ['crypto', ALWAYS, HOURS],
  ] as const)('of Alpaca’s feed %s', (feed, open, minutes) => {
    const silence = silenceOf(() => alpaca({ key: 'k', secret: 's', feed }));
    expect(openAt(silence)).toBe(open);
    expect(spans(silence)).toEqual(minutes);
  });

  it('is known, or known not to be, for each market and feed', () => {
    expect(MARKET_NAMES).toEqual(['stocks', 'options', 'indices', 'forex', 'crypto', 'futures']);
    expect(FEEDS).toEqual(['iex', 'sip', 'delayed_sip', 'boats', 'overnight', 'test', 'crypto']);
  });

  it.each([
    ['Binance', () => binance()],
    ['Coinbase', () => coinbase()],
  ])('of %s', (_, make) => {
    const silence = silenceOf(make);
    expect(openAt(silence)).toBe(ALWAYS);
    expect(spans(silence)).toEqual(HOURS);
  });

  it('of Interactive Brokers is not known', () => {
    expect(silenceOf(() => ibkr())).toBeUndefined();
  });
});
