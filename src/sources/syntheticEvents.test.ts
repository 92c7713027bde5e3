import { createHash } from 'node:crypto';
import { isRight } from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { eventKey } from '../../test/integration/events.js';
import { marketEventCodec } from '../market/codecs.js';
import type { MarketEvent } from '../market/recordKinds.js';
import { syntheticBars } from './syntheticBars.js';
import { type SyntheticEventsConfig, syntheticEvents } from './syntheticEvents.js';

const FORMER = ['bar', 'option', 'news', 'fundamental'] as const;
const KINDS = [...FORMER, 'trade', 'quote', 'gap'] as const;

const events = (config: SyntheticEventsConfig): MarketEvent[] => [...syntheticEvents(config)];

const ofKind = (made: readonly MarketEvent[], kind: MarketEvent['kind']) => made.filter((event) => event.kind === kind);

/** What differs between two versions of one record. */
function changed(one: MarketEvent, other: MarketEvent): string[] {
  const [a, b] = [Object.entries(one), new Map(Object.entries(other))];
  return a.filter(([field, value]) => JSON.stringify(value) !== JSON.stringify(b.get(field))).map(([field]) => field);
}

describe('syntheticEvents', () => {
  it('gives the very same records for a seed, on any machine', () => {
    // Written down once: a change of these values is a change for everyone who compares tables by seed.
    const few = events({ symbols: 2, count: 1, seed: 7 });
    expect(ofKind(few, 'bar')).toEqual([...syntheticBars({ symbols: 2, count: 1, seed: 7 })]);
    expect(ofKind(few, 'option')).toEqual([
      {
        kind: 'option',
        vendor: 'synthetic',
        symbol: 'S0000',
        expiry: '2024-02-29',
        optionType: 'C',
        strike: 144,
        ts: Date.UTC(2024, 0, 2, 14, 30),
        bid: 15.75,
        ask: 15.79,
        last: 15.78,
        iv: 0.194,
        delta: 0.983,
        gamma: 0.059,
        theta: -0.225,
        vega: 0.112,
        openInterest: 4440,
        volume: 487,
        underlyingPrice: 158.5,
        seq: 1,
      },
    ]);
    expect(ofKind(few, 'news')).toEqual([
      {
        kind: 'news',
        vendor: 'synthetic',
        id: 'n00000000',
        publishedAt: Date.UTC(2024, 0, 2, 14, 30),
        title: 'The "guidance" miss the street',
        url: 'https://news.example.com/n00000000?section=markets&from=%22wire%22',
        symbols: ['S0001'],
        sentiment: 0.69,
        seq: 1,
      },
    ]);
    expect(ofKind(few, 'fundamental')).toEqual([
      {
        kind: 'fundamental',
        vendor: 'synthetic',
        symbol: 'S0000',
        periodEnd: '2023-12-31',
        timeframe: 'quarterly',
        metric: 'revenues',
        value: 665_666_000,
        unit: 'USD',
        filingDate: '2024-02-25',
        seq: 1,
      },
    ]);
    const digestOf = (kinds?: readonly MarketEvent['kind'][]) => {
      const many = events({
        symbols: 50,
        count: 10_000,
        seed: 7,
        revisions: 0.1,
        duplicates: 0.05,
        ...(kinds && { kinds }),
      });
      return createHash('sha256').update(JSON.stringify(many)).digest('hex');
    };
    // As it was before there were other kinds.
    expect(digestOf(FORMER)).toBe('661d4f741a3ef31f543385f6b34fbc6dd0b69767f2f640d40e8c40770cb8a802');
    expect(digestOf()).toBe('3d2abd40d2f75c032ee522c246d79ee19e7db0f21c76b14e49d85f10ed175210');
  });

  it('begins anew with each iteration', () => {
    const iterable = syntheticEvents({ count: 300, revisions: 0.2, duplicates: 0.1 });
    expect([...iterable]).toEqual([...iterable]);
  });

  it('interleaves the kinds, and counts each', () => {
    const made = events({ count: 2_000 });
    for (const kind of KINDS) expect(ofKind(made, kind)).toHaveLength(2_000);
    // Of the first half each kind has its share, and no order of kinds repeats itself.
    const half = made.slice(0, 7_000);
    for (const kind of KINDS) expect(ofKind(half, kind).length / half.length).toBeCloseTo(1 / KINDS.length, 1);
    const neighbours = new Set(half.map(({ kind }, i) => `${kind} ${made[i + 1]?.kind}`));
    expect(neighbours.size).toBe(KINDS.length ** 2);
  });

  it('makes a kind the same, whichever others come with it', () => {
    const config = { count: 400, seed: 11, symbols: 3, revisions: 0.2, duplicates: 0.1 };
    const made = events(config);
    for (const kind of KINDS) expect(events({ ...config, kinds: [kind] })).toEqual(ofKind(made, kind));
    expect(events({ ...config, kinds: ['news', 'bar'] }).map(({ kind }) => kind)).toContain('news');
    expect(events({ ...config, kinds: ['bar'] })).toEqual([...syntheticBars(config)]);
  });

  it.each(KINDS)('revises and repeats the share of %s records that it is told', (kind) => {
    const count = 20_000;
    const made = events({ kinds: [kind], count, revisions: 0.1, duplicates: 0.05, seed: 3 });
    const versions = new Set(made.map(({ seq }) => seq));
    expect((versions.size - count) / count).toBeCloseTo(0.1, 2);
    expect((made.length - versions.size) / count).toBeCloseTo(0.05, 2);
    expect(new Set(made.map(eventKey)).size).toBe(count);
  });

  it.each<[MarketEvent['kind'], string[]]>([
    ['bar', ['high', 'low', 'close', 'volume', 'seq']],
    ['option', ['bid', 'ask', 'last', 'volume', 'seq']],
    ['news', ['title', 'sentiment', 'seq']],
    ['fundamental', ['value', 'filingDate', 'seq']],
    ['trade', ['price', 'size', 'seq']],
    ['quote', ['bidSize', 'askSize', 'seq']],
    ['gap', ['state', 'rows', 'reason', 'seq']],
  ])('brings revisions of %s records with a higher seq and other values, and duplicates as they were', (kind, may) => {
    const byKey = new Map<string, MarketEvent[]>();
    const made = events({ kinds: [kind], count: 500, revisions: 1, duplicates: 1 });
    for (const event of made) byKey.set(eventKey(event), [...(byKey.get(eventKey(event)) ?? []), event]);
    expect(byKey.size).toBe(500);
    let backwards = 0;
    for (const versions of byKey.values()) {
      const [original, ...late] = versions;
      const revised = late.filter(({ seq }) => seq !== original!.seq);
      expect(late.filter(({ seq }) => seq === original!.seq)).toEqual([original]);
      expect(revised).toHaveLength(1);
      expect(revised[0]!.seq).toBeGreaterThan(original!.seq!);
      const differs = changed(revised[0]!, original!);
      expect(differs.length).toBeGreaterThan(1);
      expect(may).toEqual(expect.arrayContaining(differs));
      if (late[1]!.seq === original!.seq) backwards += 1;
    }
    // An older version that comes after the newer one.
    expect(backwards).toBeGreaterThan(50);
  });

  it('takes the vendor, the symbols, the epoch and the timeframe', () => {
    const epoch = Date.UTC(2020, 4, 31);
    const made = events({ vendor: 'acme', symbols: ['BRK.B'], epoch, timeframe: '1h', count: 41 });
    expect(new Set(made.map(({ vendor }) => vendor))).toEqual(new Set(['acme']));
    for (const event of made) {
      if (event.kind === 'gap') expect(['BRK.B', '*']).toContain(event.symbol);
      else if (event.kind !== 'news') expect(event.symbol).toBe('BRK.B');
      else expect([[], ['BRK.B']]).toContainEqual(event.symbols);
    }
    const options = syntheticEvents({ kinds: ['option'], symbols: 1, epoch, timeframe: '1h', count: 41 });
    const moments = new Map(Array.from(options, ({ ts, expiry }) => [ts, expiry]));
    expect([...moments]).toEqual([
      [epoch, '2020-07-31'],
      [epoch + 3_600_000, '2020-07-31'],
      [epoch + 7_200_000, '2020-06-30'],
    ]);
    expect([...syntheticEvents({ kinds: ['news'], epoch, count: 1 })][0]!.publishedAt).toBe(epoch);
    const periods = syntheticEvents({ kinds: ['fundamental'], symbols: 1, epoch, count: 180 });
    expect([...new Set(Array.from(periods, ({ periodEnd }) => periodEnd))]).toEqual([
      '2020-03-31',
      '2020-06-30',
      '2020-09-30',
      '2020-12-31',
    ]);
  });

  it('leaves out, or says null for, what vendors do not always know', () => {
    const made = events({ count: 2_000 });
    const fields = new Map<string, Set<unknown>>();
    for (const event of made) {
      for (const field of [
        'last',
        'iv',
        'gamma',
        'sentiment',
        'filingDate',
        'venue',
        'side',
        'conditions',
        'bid',
        'bidVenue',
      ] as const) {
        const value = new Map<string, unknown>(Object.entries(event)).get(field);
        const key = `${event.kind} ${field}`;
        fields.set(key, (fields.get(key) ?? new Set()).add(value === undefined || value === null ? value : 'known'));
      }
    }
    expect(fields.get('option last')).toEqual(new Set(['known', null]));
    expect(fields.get('option iv')).toEqual(new Set(['known', null]));
    expect(fields.get('option gamma')).toEqual(new Set(['known', undefined]));
    expect(fields.get('news sentiment')).toEqual(new Set(['known', null]));
    expect(fields.get('fundamental filingDate')).toEqual(new Set(['known', null]));
    expect(fields.get('trade venue')).toEqual(new Set(['known', null]));
    expect(fields.get('trade side')).toEqual(new Set(['known', undefined]));
    expect(fields.get('trade conditions')).toEqual(new Set(['known', undefined]));
    expect(fields.get('quote bid')).toEqual(new Set(['known', null]));
    expect(fields.get('quote bidVenue')).toEqual(new Set(['known', undefined]));
  });

  it('says so when the calendar ends', () => {
    const endless = () => {
      for (const event of syntheticEvents({ kinds: ['option'], symbols: 1, timeframe: '999999d' })) {
        if (!isRight(marketEventCodec.decode(event))) throw new Error(`not valid: ${JSON.stringify(event)}`);
      }
    };
    expect(endless).toThrow(/the dates have reached the year 10000: use more symbols/);
  });

  it('refuses bad configurations', () => {
    expect(() => syntheticEvents({ kinds: [] })).toThrow(/kinds must be an array that is not empty/);
    expect(() => syntheticEvents({ kinds: ['bar', 'bar'] })).toThrow(
      /kinds must be an array that names each kind once, got "bar,bar"/,
    );
    expect(() => syntheticEvents({ kinds: ['dividend' as 'bar'] })).toThrow(
      /kinds\[0\] must be one of "bar", .* got "dividend"/,
    );
    expect(() => syntheticEvents({ kinds: 'bar' as never })).toThrow(/kinds must be an array/);
    expect(() => syntheticEvents({ count: -1 })).toThrow(/syntheticEvents: count must be an integer/);
    expect(() => syntheticEvents({ symbols: ['BRK\n'] })).toThrow(/control characters.* got "BRK\\n"/);
    expect(() => syntheticEvents({ epoch: Date.UTC(1800, 0) })).toThrow(/epoch must be a number of at least/);
    expect(() => syntheticEvents({ epoch: Date.UTC(2300, 0) })).toThrow(/epoch must be a number of at least/);
    expect(() => syntheticEvents({ rate: 5 } as never)).toThrow(/unknown option "rate".* kinds/);
  });
});
