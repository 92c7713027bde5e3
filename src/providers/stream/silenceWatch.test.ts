import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { type ToyStreamConfig, toyStream, trade } from '../../../test/support/toyVendor.js';
import type { UsualSilence } from '../usualSilence.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Open for the first two hours of each day. */
const MORNINGS = {
  isOpen: (at: number) => at % (24 * HOUR) < 2 * HOUR,
  nextChange: (at: number) => {
    const day = Math.floor(at / (24 * HOUR)) * 24 * HOUR;
    return at < day + 2 * HOUR ? day + 2 * HOUR : day + 24 * HOUR;
  },
};
/** Nothing but silence ends a connection. */
const PATIENT = { connectTimeoutMs: 1e12, deadAfterMs: 1e12, confirmAfterMs: 1e12 };

const ALWAYS = { isOpen: () => true, nextChange: () => Number.POSITIVE_INFINITY };

/** A stream of a venue whose symbols are silent for an hour. It gives signs of life for ever. */
function quiet(silence: Partial<UsualSilence>, config: ToyStreamConfig = {}) {
  const usual = { calendar: ALWAYS, oneSymbolMs: HOUR, ...silence };
  const stream = toyStream({ ...PATIENT, ...config, parts: { silence: usual } });
  stream.login();
  return stream;
}

const symbolsOf = (count: number) => Array.from({ length: count }, (_, n) => `S${n}`);
const requestOf = (count: number) => ({ request: { symbols: symbolsOf(count) } });

describe('the silence of a venue', () => {
  it.each([
    [1, 60],
    [4, 15],
    [12, 5],
    [10_000, 5],
  ])('of %i symbols is stale after %i minutes', (count, minutes) => {
    const stream = quiet({}, requestOf(count));
    stream.pass(minutes * MINUTE - 1);
    expect(stream.vendor.connections.map(({ isClosed }) => isClosed)).toEqual([false]);
    stream.pass(1);
    expect(stream.vendor.connections[0]?.isClosed).toBe(true);
    expect(stream.feed).toMatchObject({
      state: 'stale',
      lastError: `toy: the connection carried no data for ${minutes * MINUTE} ms`,
    });
  });

  it('of all symbols is stale after five minutes', () => {
    const stream = quiet({}, { request: { symbols: ['*'] } });
    stream.pass(6 * MINUTE);
    expect(stream.feed.state).toBe('stale');
  });

  it('is broken by any record', () => {
    const stream = quiet({}, requestOf(12));
    for (let i = 0; i < 10; i++) {
      stream.pass(4 * MINUTE);
      stream.say({ data: [trade('S0', stream.scheduler.now())] });
    }
    expect(stream.vendor.connections).toHaveLength(1);
  });

  it('goes by the number of symbols that is wanted at the time', () => {
    const symbols = new Subject<readonly string[]>();
    const usual = { calendar: ALWAYS, oneSymbolMs: HOUR };
    const config = { ...PATIENT, parts: { silence: usual } };
    const stream = toyStream({ ...config, request: { symbols } });
    symbols.next(symbolsOf(1));
    stream.login();
    // A set that changes all the time does not begin the silence anew.
    for (let i = 1; i <= 11; i++) {
      stream.pass(MINUTE);
      symbols.next(symbolsOf(1 + (i % 2)));
    }
    expect(stream.feed.state).not.toBe('stale');
    symbols.next(symbolsOf(6));
    stream.pass(MINUTE);
    expect(stream.feed.state).toBe('stale');
  });

  it('is not counted while the market is closed, and has all of its time after it opens', () => {
    const stream = quiet({ calendar: MORNINGS }, requestOf(2));
    // The last record of the first day is that of 01:50.
    for (let i = 1; i <= 11; i++) {
      stream.pass(10 * MINUTE);
      stream.say({ data: [trade('S0', stream.scheduler.now())] });
    }
    stream.pass(22 * HOUR + 39 * MINUTE);
    expect(stream.vendor.connections).toHaveLength(1);
    stream.pass(2 * MINUTE);
    expect(stream.feed.state).toBe('stale');
  });

  it('begins later for data that are late', () => {
    const stream = quiet({ delayMs: 15 * MINUTE }, requestOf(12));
    stream.pass(19 * MINUTE);
    expect(stream.vendor.connections).toHaveLength(1);
    stream.pass(2 * MINUTE);
    expect(stream.feed.state).toBe('stale');
  });

  it('gives way to what the user says', () => {
    const never = quiet({}, { ...requestOf(12), staleAfterMs: Number.POSITIVE_INFINITY });
    never.pass(100 * HOUR);
    expect(never.vendor.connections).toHaveLength(1);
    const soon = quiet({ calendar: MORNINGS }, { ...requestOf(1), staleAfterMs: 1_000 });
    soon.pass(1_100);
    expect(soon.feed.state).toBe('stale');
    const closed = quiet({}, { ...requestOf(12), calendar: { isOpen: () => false, nextChange: () => 1e15 } });
    closed.pass(100 * HOUR);
    expect(closed.vendor.connections).toHaveLength(1);
  });

  it('of a venue that says nothing is never stale', () => {
    const stream = toyStream({ ...PATIENT, request: { symbols: ['*'] } });
    stream.login();
    stream.pass(100 * HOUR);
    expect(stream.vendor.connections).toHaveLength(1);
  });
});
