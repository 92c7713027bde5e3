import { describe, expect, it } from 'vitest';
import { type PacingProfile, ProfilePacer } from './pacingProfile.js';

interface Request {
  readonly contract: string;
  readonly what?: 'TRADES' | 'BID_ASK';
}

/** Interactive Brokers' rules for historical requests, without that of identical requests. */
const ibkr: PacingProfile<Request> = {
  windows: [
    { limit: 60, perMs: 600_000, weight: ({ what }) => (what === 'BID_ASK' ? 2 : 1) },
    { limit: 5, perMs: 2_000, by: ({ contract }) => contract },
  ],
};

/** When each request passes, if every one is sent as soon as it may be. */
function passages<T>(pacer: ProfilePacer<T>, items: readonly T[], startMs = 0): number[] {
  let now = startMs;
  return items.map((item) => {
    const cost = pacer.price(item);
    for (let waitMs = pacer.take(now, cost); waitMs > 0; waitMs = pacer.take(now, cost)) now += waitMs;
    return now;
  });
}

describe('ProfilePacer', () => {
  it('lets `limit` pass in any window, and the next to the millisecond', () => {
    const pacer = new ProfilePacer({ windows: [{ limit: 2, perMs: 10 }] });
    expect(passages(pacer, [1, 2, 3, 4, 5])).toEqual([0, 0, 10, 10, 20]);
  });

  it('slides: what passed late in a window counts on in the next', () => {
    const pacer = new ProfilePacer({ windows: [{ limit: 2, perMs: 10 }] });
    const cost = pacer.price('x');
    expect(pacer.take(0, cost)).toBe(0);
    expect(pacer.take(9, cost)).toBe(0);
    expect(pacer.take(9, cost)).toBe(1);
    expect(pacer.take(10, cost)).toBe(0);
    expect(pacer.take(11, cost)).toBe(8);
  });

  it('keeps windows by key, and the shared window over all', () => {
    const requests = Array.from({ length: 12 }, (_, i): Request => ({ contract: i < 6 ? 'SPY' : 'QQQ' }));
    expect(passages(new ProfilePacer(ibkr), requests)).toEqual([
      0, 0, 0, 0, 0, 2000, 2000, 2000, 2000, 2000, 2000, 4000,
    ]);
  });

  it('holds the 60 in ten minutes over many contracts', () => {
    const requests = Array.from({ length: 61 }, (_, i): Request => ({ contract: `C${i}` }));
    expect(passages(new ProfilePacer(ibkr), requests).slice(58)).toEqual([0, 0, 600_000]);
  });

  it('counts weights', () => {
    const requests = Array.from({ length: 31 }, (_, i): Request => ({ contract: `C${i}`, what: 'BID_ASK' }));
    expect(passages(new ProfilePacer(ibkr), requests).slice(29)).toEqual([0, 600_000]);
  });

  it('waits for as many entries as the weight needs', () => {
    const pacer = new ProfilePacer<number>({ windows: [{ limit: 3, perMs: 10, weight: (n) => n }] });
    expect(pacer.take(0, pacer.price(1))).toBe(0);
    expect(pacer.take(4, pacer.price(1))).toBe(0);
    expect(pacer.take(6, pacer.price(3))).toBe(8);
    expect(pacer.take(6, pacer.price(2))).toBe(4);
    expect(pacer.take(6, pacer.price(0))).toBe(0);
  });

  it('is ready when the shared windows have room', () => {
    const pacer = new ProfilePacer(ibkr);
    const cost = pacer.price({ contract: 'SPY' });
    for (let i = 0; i < 5; i++) pacer.take(0, cost);
    expect(pacer.readyInMs(0)).toBe(0);
    const other = pacer.price({ contract: 'QQQ', what: 'BID_ASK' });
    passages(
      pacer,
      Array.from({ length: 27 }, (_, i) => ({ contract: `C${i}`, what: 'BID_ASK' as const })),
    );
    expect(pacer.take(0, other)).toBe(600_000);
    expect(pacer.readyInMs(0)).toBe(0);
    pacer.take(0, pacer.price({ contract: 'IBM' }));
    expect(pacer.readyInMs(1)).toBe(599_999);
  });

  it('remembers at most maxKeys keys, and makes another wait rather than forget', () => {
    const pacer = new ProfilePacer<string>({ windows: [{ limit: 1, perMs: 10, by: (key) => key, maxKeys: 2 }] });
    expect(passages(pacer, ['a', 'b'])).toEqual([0, 0]);
    expect(pacer.take(3, pacer.price('c'))).toBe(7);
    expect(pacer.keys).toBe(2);
    expect(pacer.take(10, pacer.price('c'))).toBe(0);
    expect(pacer.keys).toBe(1);
  });

  it('lets what weighs nothing pass, and remembers no key for it', () => {
    const windows = [{ limit: 1, perMs: 10, by: (n: number) => n, weight: (n: number) => Math.min(n, 1), maxKeys: 1 }];
    const pacer = new ProfilePacer<number>({ windows });
    expect(pacer.take(0, pacer.price(0))).toBe(0);
    expect(pacer.keys).toBe(0);
    expect(pacer.take(0, pacer.price(5))).toBe(0);
    expect(pacer.take(0, pacer.price(0))).toBe(0);
    expect(pacer.take(0, pacer.price(6))).toBe(10);
    expect(pacer.keys).toBe(1);
  });

  it('is ready whatever the windows of single keys hold', () => {
    const pacer = new ProfilePacer<string>({ windows: [{ limit: 1, perMs: 10, by: (key) => key, maxKeys: 1 }] });
    pacer.take(0, pacer.price('a'));
    expect(pacer.readyInMs(0)).toBe(0);
  });

  it('names itself where nobody else is the owner', () => {
    expect(() => new ProfilePacer({ windows: [] })).toThrow(/^PacingProfile: windows/);
  });

  it('forgets what is over', () => {
    const pacer = new ProfilePacer<number>({ windows: [{ limit: 1, perMs: 10, by: (key) => key }] });
    for (let now = 0; now < 1_000; now++) pacer.take(now, pacer.price(now));
    expect(pacer.keys).toBe(10);
  });

  it('looks only at what has passed in the last perMs, however much passed before', () => {
    const pacer = new ProfilePacer({ windows: [{ limit: 2, perMs: 2 }] });
    const cost = pacer.price('x');
    let waitMs = 0;
    for (let now = 0; now < 300_000; now++) waitMs += pacer.take(now, cost);
    expect(waitMs).toBe(0);
  });

  it('counts what passes in one millisecond together', () => {
    const pacer = new ProfilePacer<number>({ windows: [{ limit: 5, perMs: 10, weight: (n) => n }] });
    for (const [now, weight] of [
      [0, 2],
      [0, 1],
      [4, 2],
    ] as const) {
      expect(pacer.take(now, pacer.price(weight))).toBe(0);
    }
    expect(pacer.take(5, pacer.price(3))).toBe(5);
    expect(pacer.take(5, pacer.price(4))).toBe(9);
    expect(pacer.take(10, pacer.price(3))).toBe(0);
    expect(pacer.take(10, pacer.price(1))).toBe(4);
  });

  it('keeps its counts right in a long run', () => {
    const pacer = new ProfilePacer({ windows: [{ limit: 50, perMs: 100 }] });
    const passed = passages(
      pacer,
      Array.from({ length: 500 }, (_, i) => i),
    );
    expect(passed).toEqual(Array.from({ length: 500 }, (_, i) => Math.floor(i / 50) * 100));
  });

  it('stands still when the clock is set back', () => {
    const pacer = new ProfilePacer({ windows: [{ limit: 1, perMs: 10 }] });
    const cost = pacer.price('x');
    pacer.take(1_000, cost);
    expect(pacer.take(4, cost)).toBe(10);
    expect(pacer.take(13, cost)).toBe(1);
    expect(pacer.take(14, cost)).toBe(0);
  });

  it.each([
    [{ windows: [] }, 'windows must be an array that is not empty, got an array'],
    [{ windows: 3 }, 'windows must be an array that is not empty, got 3'],
    [{ windows: [{ limit: 0, perMs: 1 }] }, 'windows[0]: limit must be an integer of at least 1, got 0'],
    [{ windows: [{ limit: 1, perMs: 1.5 }] }, 'windows[0]: perMs must be an integer of at least 1, got 1.5'],
    [{ windows: [{ limit: 1, perMs: 1, by: 'symbol' }] }, 'windows[0]: by must be a function, got "symbol"'],
    [{ windows: [{ limit: 1, perMs: 1, max: 1 }] }, 'windows[0]: unknown option "max"'],
  ])('refuses %j', (profile, message) => {
    expect(() => new ProfilePacer(profile as unknown as PacingProfile<unknown>)).toThrow(message);
  });

  it.each([4, -1, 0.5, Number.NaN])('refuses an item that weighs %d of 3', (weight) => {
    const pacer = new ProfilePacer({ windows: [{ limit: 3, perMs: 10, weight: () => weight }] });
    expect(() => pacer.price('x')).toThrow(`weight must be an integer from 0 to 3, got ${weight}`);
  });
});
