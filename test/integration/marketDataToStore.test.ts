import type pg from 'pg';
import { tap } from 'rxjs/operators';
import { beforeEach, expect, it } from 'vitest';
import type { StoredLetter } from '../../src/dead-letters/index.js';
import type { MarketEvent } from '../../src/market/recordKinds.js';
import type { RunReport } from '../../src/operators/running/runReport.js';
import { type MarketDataToStoreConfig, marketDataToStore } from '../../src/pipelines/marketDataToStore.js';
import { run } from '../../src/pipelines/run.js';
import { migrate } from '../../src/postgres/migrate/migrate.js';
import { fromAsyncIterable } from '../../src/sources/fromAsyncIterable.js';
import { fromIterable } from '../../src/sources/fromIterable.js';
import { syntheticEvents } from '../../src/sources/syntheticEvents.js';
import { deadLetterFolder } from '../support/deadLetterFolder.js';
import { bar } from './bars.js';
import { CORPUS } from './corpus.js';
import { eachStored, figure, foldEvents, gap, newsItem, option, quote, trade } from './events.js';
import { inEachPlace } from './places.js';

const KINDS = ['bar', 'option', 'news', 'fundamental', 'trade', 'quote', 'gap'] as const;

type Kind = MarketEvent['kind'];

/** What the error of a run says, and what became of the items. */
interface Failure {
  readonly name: string;
  readonly message: string;
  readonly cause: { readonly name: string; readonly message: string; readonly cause?: unknown };
  readonly report: RunReport;
}

/** Field by field. A row says null for what an item leaves out. */
const sorted = (items: readonly unknown[]) =>
  items
    .map((item) => {
      const known = Object.entries(Object(item)).filter(([, value]) => value !== null && value !== undefined);
      return typeof item === 'object' ? JSON.stringify(Object.fromEntries(known.sort())) : JSON.stringify(item);
    })
    .sort();

inEachPlace(({ pool: poolOf }) => {
  const folder = deadLetterFolder();
  let pool: pg.Pool;
  beforeEach(async () => {
    pool = poolOf();
    await pool.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
  });

  const play = (records: Iterable<unknown>, config?: MarketDataToStoreConfig): Promise<RunReport> =>
    run(fromIterable(records).pipe(marketDataToStore(pool, config)), { signals: [] });

  const failure = async (running: Promise<RunReport>): Promise<Failure> => {
    const error: unknown = await running.then(
      () => expect.fail('the run did not fail'),
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ name: 'RunError', report: { outcome: 'failed', conservation: 0 } });
    return error as Failure;
  };

  const stored = async (kinds: readonly Kind[] = KINDS): Promise<MarketEvent[]> => {
    const items: MarketEvent[] = [];
    for (const kind of kinds) for await (const item of eachStored(pool, kind)) items.push(item);
    return items;
  };

  const itemsOf = (letters: readonly StoredLetter<unknown>[]) => letters.flatMap(({ items }) => items);

  /** One that is as it should be, of each kind. */
  const good = [bar(), option(), newsItem(), figure(), trade(), quote(), gap()];

  /** Each with the field that the letter names, what it wants there, and what it found. */
  const BROKEN: readonly (readonly [string, unknown, string])[] = [
    ['a bar', bar({ high: 0.1 }), 'high: expected '],
    ['a bar', { ...bar(), close: '1.5' }, 'close: expected a finite number, got "1.5"'],
    [
      'an option',
      option({ expiry: '2024-02-30' }),
      'expiry: expected a date of the calendar as YYYY-MM-DD, got "2024-02-30"',
    ],
    ['an option', { ...option(), strike: Number.NaN }, 'strike: expected a finite number above 0, got NaN'],
    [
      'a news item',
      newsItem({ url: 'javascript:alert(1)' }),
      'url: expected an http or https address, got "javascript',
    ],
    ['a news item', newsItem({ symbols: ['ACME', ' brk.b'] }), 'symbols[1]: expected a symbol as the vendor'],
    ['a figure', figure({ value: Number.POSITIVE_INFINITY }), 'value: expected a finite number, got Infinity'],
    ['a figure', { ...figure(), unit: undefined }, 'unit: expected a name, got undefined'],
    ['a trade', { ...trade(), size: '1' }, 'size: expected a finite number of at least 0, got "1"'],
    ['a quote', { ...quote(), ask: undefined }, 'ask: expected a finite number, or null, got undefined'],
    ['a gap', gap({ to: 0 }), 'to: expected a time that is not before the from of '],
    [
      'of no kind at all',
      { symbol: 'ACME' },
      'kind: expected "bar", "option", "news", "fundamental", "trade", "quote" or "gap", got undefined',
    ],
    [
      'of an unknown kind',
      { ...bar(), kind: 'dividend' },
      'kind: expected "bar", "option", "news", "fundamental", "trade", "quote" or "gap", got "dividend"',
    ],
    ['of a kind that every object has', { ...bar(), kind: 'constructor' }, 'kind: expected "bar"'],
    ['no record but a text', '{"kind":"bar"}', 'expected MarketEvent, got "{\\"kind\\":\\"bar\\"}"'],
    ['no record but a number', 7, 'expected MarketEvent, got 7'],
    ['no record but null', null, 'expected MarketEvent, got null'],
    ['no record but a list', [bar()], 'kind: expected "bar"'],
  ];

  it('diverts what breaks its model with field and reason, and writes the rest', async () => {
    const deadLetters = await folder.open();
    // What is right stands among what is not.
    const records = BROKEN.flatMap(([, broken], i) => [broken, ...good.map((one) => ({ ...one, vendor: `v${i}` }))]);
    const report = await play(records, { policies: { deadLetters } });

    const written = good.length * BROKEN.length;
    expect(report).toMatchObject({ outcome: 'completed', received: records.length, written, conservation: 0, held: 0 });
    expect(report.divertedBy).toEqual({ decode: BROKEN.length });
    expect(await stored()).toHaveLength(written);
    const letters = await folder.letters();
    expect(letters.map(({ items }) => items)).toEqual(BROKEN.map(([, broken]) => [broken]));
    letters.forEach((letter, i) => {
      expect(letter).toMatchObject({ stage: 'decode', reason: 'decode', attempts: 0, error: { name: 'DecodeError' } });
      expect(letter.error!.message).toContain(BROKEN[i]![2]);
    });
  });

  it('fails with a DecodeError without dead letters, after what came before is written', async () => {
    const [what, broken, message] = BROKEN[2]!;
    expect(what).toBe('an option');
    const { cause, report } = await failure(play([...good, broken, bar({ vendor: 'later' })]));
    expect(cause).toMatchObject({ name: 'DecodeError', message });
    expect(report.divertedBy).toEqual({});
    // The record that failed the run is in nobody's table.
    for (const event of await stored(KINDS.filter((kind) => kind !== 'option'))) expect(event.vendor).toBe('test');
  });

  it('does not look at records with check: false, and fails for one of an unknown kind', async () => {
    expect(await play(good, { check: false })).toMatchObject({ written: good.length, conservation: 0 });
    expect(sorted(await stored())).toEqual(sorted(good));
    const { cause } = await failure(play([{ ...bar(), kind: 'dividend' }], { check: false }));
    expect(cause).toMatchObject({ name: 'UnroutedError', kind: 'dividend' });
    expect(cause.message).toMatch(
      /no branch for the kind "dividend": it has bar, option, news, fundamental, trade, quote, gap/,
    );
  });

  it('takes hostile texts anywhere: each record is in its table as it was, or in a letter as it was', async () => {
    const deadLetters = await folder.open();
    const texts = [...CORPUS, 'A\0B', 'half \ud83d', '\udc00'];
    const template = {
      bar: bar(),
      option: option(),
      news: newsItem(),
      fundamental: figure(),
      trade: trade(),
      quote: quote(),
      gap: gap(),
    };
    const textsOf: Record<Kind, readonly string[]> = {
      bar: ['vendor', 'symbol', 'timeframe', 'ts', 'seq', 'kind'],
      option: ['vendor', 'symbol', 'expiry', 'optionType', 'strike', 'kind'],
      news: ['vendor', 'id', 'title', 'url', 'symbols', 'sentiment', 'kind'],
      fundamental: ['vendor', 'symbol', 'periodEnd', 'timeframe', 'metric', 'unit', 'filingDate', 'kind'],
      trade: ['vendor', 'symbol', 'id', 'venue', 'side', 'conditions', 'kind'],
      quote: ['vendor', 'symbol', 'id', 'bidVenue', 'askVenue', 'kind'],
      gap: ['vendor', 'symbol', 'of', 'timeframe', 'cause', 'state', 'reason', 'kind'],
    };
    let made = 0;
    const records = KINDS.flatMap((kind) =>
      textsOf[kind].flatMap((field) =>
        texts.map((text) => {
          made += 1;
          // A key of its own for each, whatever the text is part of.
          const key = { vendor: `v${made}`, id: `n${made}`, ts: made * 60_000, metric: `m${made}` };
          const own = Object.fromEntries(Object.entries(key).filter(([name]) => name in template[kind]));
          const value = field === 'symbols' || field === 'conditions' ? ['ACME', text] : text;
          return { ...template[kind], ...own, [field]: value };
        }),
      ),
    );
    const report = await play(records, { policies: { deadLetters }, coordinator: { batchSize: 100 } });

    expect(report).toMatchObject({
      outcome: 'completed',
      received: records.length,
      held: 0,
      dropped: {},
      conservation: 0,
    });
    const rows = await stored();
    const letters = await folder.letters();
    expect(rows).toHaveLength(report.written);
    expect(sorted([...rows, ...itemsOf(letters)])).toEqual(sorted(records));
    // What a model has no rule against is written: nearly every text is a title, and no half of a character.
    const titles = new Set(rows.flatMap((row) => (row.kind === 'news' ? [row.title] : [])));
    for (const text of CORPUS.filter((one) => one.trim() !== '')) expect(titles).toContain(text);
    for (const { reason, error, items } of letters) {
      expect(['decode', 'poison']).toContain(reason);
      expect(error!.message).toMatch(/expected|must be/);
      expect(items).toHaveLength(1);
    }
    expect(report.divertedBy.poison).toBeGreaterThan(0);
    expect(report.divertedBy.decode! + report.divertedBy.poison!).toBe(letters.length);
  });

  it('when one table is gone in the middle: diverts what that branch holds, lets the others finish, and says what to do', async () => {
    await migrate(pool);
    const deadLetters = await folder.open();
    const events = [...syntheticEvents({ symbols: 20, count: 5_000, seed: 7, revisions: 0.01, duplicates: 0.01 })];
    const before = events.slice(0, 2_000);
    const newsBefore = before.filter(({ kind }) => kind === 'news').length;
    let newsWritten = 0;
    let announce: () => void = () => {};
    const allWritten = new Promise<void>((resolve) => {
      announce = resolve;
    });
    async function* feed() {
      yield* before;
      await allWritten;
      await pool.query('DROP TABLE news');
      yield* events.slice(before.length);
    }
    const received: MarketEvent[] = [];
    const outcomes$ = fromAsyncIterable(feed()).pipe(
      tap((event) => received.push(event)),
      marketDataToStore(pool, {
        coordinator: { workers: 2, batchSize: 100, capacity: 1_000 },
        policies: { deadLetters },
        tables: { createTable: false },
      }),
      tap(({ status, items }) => {
        if (status !== 'written' || items[0]?.kind !== 'news') return;
        newsWritten += items.length;
        if (newsWritten === newsBefore) announce();
      }),
    );
    const { message, cause, report } = await failure(run(outcomes$, { signals: [] }));

    expect(message).toMatch(/the sink news did not take a batch .* the table "news" is missing .* createTable: true/);
    expect(cause).toMatchObject({ name: 'WriteError', cause: { code: 'SLUICE_STORE_TABLE', sqlState: '42P01' } });
    const ofKind = (kind: Kind) => received.filter((event) => event.kind === kind);
    expect(received.length).toBeGreaterThan(before.length);
    expect(received.length).toBeLessThan(events.length);
    // Everything is settled: written in the other tables, or in a letter.
    expect(report).toMatchObject({ held: 0, heldBy: {}, conservation: 0 });
    expect(newsWritten).toBe(newsBefore);
    const letters = await folder.letters();
    expect(sorted(itemsOf(letters))).toEqual(sorted(ofKind('news').slice(newsBefore)));
    expect(report.divertedBy).toEqual({ fatal: itemsOf(letters).length });
    for (const letter of letters) expect(letter).toMatchObject({ kind: 'news', stage: 'news.write', reason: 'fatal' });
    for (const kind of KINDS.filter((one) => one !== 'news')) {
      const rows = await stored([kind]);
      expect(sorted(rows)).toEqual(sorted([...foldEvents(ofKind(kind)).values()]));
    }
  });

  it('refuses wrong options before anything runs', () => {
    const making = (config: object) => () => marketDataToStore(pool, config);
    expect(() => marketDataToStore({} as pg.Pool)).toThrow(/the connect of its pool must be a function/);
    expect(making({ workers: 4 })).toThrow(
      /marketDataToStore: unknown option "workers" \(expected one of: coordinator, /,
    );
    expect(making({ check: 'yes' })).toThrow(/marketDataToStore: check must be true or false, got "yes"/);
    expect(making({ coordinator: { workers: 0 } })).toThrow(/workers must be an integer from 1 to 4096, got 0/);
    expect(making({ coordinator: { batch: 5 } })).toThrow(/unknown option "batch"/);
    // One name or one table for all kinds would be a mistake.
    expect(making({ coordinator: { name: 'x' } })).toThrow(/marketDataToStore: coordinator: unknown option "name"/);
    expect(making({ tables: { table: 'x' } })).toThrow(/marketDataToStore: tables: unknown option "table"/);
    expect(making({ policies: { retry: { maxAttempts: 0 } } })).toThrow(/maxAttempts must be an integer .* got 0/);
    expect(making({ policies: { deadLetters: {} } })).toThrow(/the append of its deadLetters must be a function/);
    expect(making({ tables: { strategy: 'fast' } })).toThrow(/strategy must be one of .* got "fast"/);
  });
});
