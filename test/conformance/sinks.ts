import { mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import type { Sink } from '../../src/contracts/sink.js';
import { ndjsonSink } from '../../src/files/ndjsonSink.js';
import { tableSink } from '../../src/postgres/tableSink.js';
import { barsSink } from '../../src/sinks/barsSink.js';
import { fundamentalsSink } from '../../src/sinks/fundamentalsSink.js';
import { gapsSink } from '../../src/sinks/gapsSink.js';
import { memorySink } from '../../src/sinks/memorySink.js';
import { newsSink } from '../../src/sinks/newsSink.js';
import { optionsSink } from '../../src/sinks/optionsSink.js';
import { quotesSink } from '../../src/sinks/quotesSink.js';
import { tradesSink } from '../../src/sinks/tradesSink.js';
import type { SinkConformanceTest, SinkRuleId, SinkSubject } from '../../src/testing/index.js';
import { sinkConformance } from '../../src/testing/index.js';
import { bar } from '../integration/bars.js';
import {
  figure,
  gap,
  newsItem,
  option,
  quote,
  storedBars,
  storedFundamentals,
  storedGaps,
  storedNews,
  storedOptions,
  storedQuotes,
  storedTrades,
  trade,
} from '../integration/events.js';
import { trade as ownTrade, trades as ownTrades, storedTrades as storedOwn, type Trade } from '../support/trades.js';

/** A database for one rule, with nothing in it. */
export interface EmptyDatabase {
  /** What sinks are given: an outage cuts it off. */
  readonly pool: pg.Pool;
  /** For looking into it. */
  readonly direct: pg.Pool;
  /** Cuts it off; the result brings it back. */
  outage(): () => void | Promise<void>;
  close(): Promise<void>;
}

/** Where sinks of tables are tried. */
export interface Places {
  readonly postgres: () => Promise<EmptyDatabase>;
  readonly pglite: () => Promise<EmptyDatabase>;
}

type Subject = (places: Places) => { readonly name: string; readonly tests: readonly SinkConformanceTest[] };

function subject<T>(make: (places: Places) => SinkSubject<T, SinkRuleId>): Subject {
  return (places) => {
    const given = make(places);
    return { name: given.name, tests: sinkConformance(given) };
  };
}

interface TableSubject<T> {
  readonly sink: (pool: pg.Pool) => Sink<T>;
  readonly stored: (pool: pg.Pool) => Promise<T[]>;
  readonly item: (index: number, version: number) => T;
  readonly poison: (index: number) => T;
}

const onTable = <T>(place: keyof Places, { sink, stored, item, poison }: TableSubject<T>): Subject =>
  subject<T>((places) => ({
    name: `on ${place}`,
    async open() {
      const database = await places[place]();
      return {
        sink: () => sink(database.pool),
        stored: () => stored(database.direct),
        outage: () => database.outage(),
        close: () => database.close(),
      };
    },
    item,
    poison,
  }));

const BARS: TableSubject<ReturnType<typeof bar>> = {
  sink: (pool) => barsSink(pool),
  stored: storedBars,
  item: (i, seq) => bar({ symbol: `S${i % 7}`, ts: Date.UTC(2024, 0, 2) + i * 60_000, close: i + seq / 8, seq }),
  poison: (i) => bar({ symbol: `P\0${i}` }),
};

const OPTIONS: TableSubject<ReturnType<typeof option>> = {
  sink: (pool) => optionsSink(pool),
  stored: storedOptions,
  item: (i, seq) => option({ strike: 10 + i / 2, bid: seq, ask: null, seq }),
  poison: (i) => option({ strike: i, expiry: '2024-02-30' }),
};

const NEWS: TableSubject<ReturnType<typeof newsItem>> = {
  sink: (pool) => newsSink(pool),
  stored: storedNews,
  item: (i, seq) => newsItem({ id: `n${i}`, title: `Take ${seq}`, symbols: i % 3 === 0 ? [] : ['ACME', `S${i}`], seq }),
  poison: (i) => newsItem({ id: `p${i}`, title: 'half of \ud800' }),
};

const FUNDAMENTALS: TableSubject<ReturnType<typeof figure>> = {
  sink: (pool) => fundamentalsSink(pool),
  stored: storedFundamentals,
  item: (i, seq) => figure({ symbol: `S${i % 5}`, metric: `m${i}`, value: i + seq / 8, seq }),
  poison: (i) => figure({ metric: `p${i}`, periodEnd: 'yesterday' }),
};

const TRADES: TableSubject<ReturnType<typeof trade>> = {
  sink: (pool) => tradesSink(pool),
  stored: storedTrades,
  item: (i, seq) => trade({ symbol: `S${i % 5}`, id: `t${i}`, price: i + seq / 8, seq }),
  poison: (i) => trade({ id: `p${i}`, conditions: ['\0'] }),
};

const QUOTES: TableSubject<ReturnType<typeof quote>> = {
  sink: (pool) => quotesSink(pool),
  stored: storedQuotes,
  item: (i, seq) =>
    quote({ symbol: `S${i % 5}`, id: `q${i}`, bid: i % 3 === 0 ? null : i + seq / 8, askSize: seq, seq }),
  poison: (i) => quote({ id: `p${i}`, ts: Number.NaN }),
};

const GAPS: TableSubject<ReturnType<typeof gap>> = {
  sink: (pool) => gapsSink(pool),
  stored: storedGaps,
  item: (i, seq) =>
    gap({
      symbol: `S${i % 5}`,
      to: Date.UTC(2024, 0, 2, 15) + i,
      state: seq === 1 ? 'open' : 'filled',
      rows: seq,
      seq,
    }),
  poison: (i) => gap({ to: Date.UTC(2024, 0, 2, 15) + i, rows: 0.5 }),
};

const OWN: TableSubject<Trade> = {
  sink: (pool) => tableSink(pool, ownTrades),
  stored: storedOwn,
  item: (i, seq) =>
    ownTrade({ id: `t${i}`, symbol: `S${i % 5}`, price: i + seq / 8, tags: i % 3 === 0 ? null : ['x'], seq }),
  poison: (i) => ownTrade({ id: `p${i}`, price: Number.POSITIVE_INFINITY, at: Number.NaN }),
};

interface Thing {
  readonly key: string;
  readonly version: number;
}

const thing = (index: number, version: number): Thing => ({ key: `k${index}`, version });

const keyOf = ({ key }: Thing) => key;

const APPENDS = 'it appends: what is written again is there again';
const EVERY_VERSION = 'it keeps every version, and a reader takes the last';
const NEVER_FAILS = 'it cannot fail';

const ALL_VERSIONS = {
  'SK-5.1': EVERY_VERSION,
  'SK-5.2': EVERY_VERSION,
  'SK-5.3': EVERY_VERSION,
  'SK-5.5': EVERY_VERSION,
  'SK-5.6': EVERY_VERSION,
} as const;

/** Every sink of src/sinks, with at least one subject that is held to the rules. */
export const sinks: Readonly<Record<string, readonly Subject[]>> = {
  barsSink: [onTable('postgres', BARS), onTable('pglite', BARS)],
  fundamentalsSink: [onTable('postgres', FUNDAMENTALS), onTable('pglite', FUNDAMENTALS)],
  gapsSink: [onTable('postgres', GAPS), onTable('pglite', GAPS)],
  memorySink: [
    subject<Thing>(() => ({
      name: 'in memory',
      open() {
        // Nothing outlives the process: to start again is to go on.
        const sink = memorySink<Thing>({ keyOf });
        return { sink: () => sink, stored: () => sink.items };
      },
      item: thing,
      notApplicable: {
        ...ALL_VERSIONS,
        'SK-2.1': APPENDS,
        'SK-2.2': APPENDS,
        'SK-3.1': NEVER_FAILS,
        'SK-3.2': NEVER_FAILS,
        'SK-3.3': NEVER_FAILS,
        'SK-3.4': NEVER_FAILS,
        'SK-3.5': NEVER_FAILS,
        'SK-3.6': NEVER_FAILS,
        'SK-4.1': NEVER_FAILS,
        'SK-4.2': NEVER_FAILS,
        'SK-4.3': NEVER_FAILS,
      },
    })),
  ],
  ndjsonSink: [
    subject<Thing>(() => ({
      name: 'in a file',
      open() {
        const folder = mkdtempSync(join(tmpdir(), 'sluice-ndjson-'));
        const [there, away] = [join(folder, 'there'), join(folder, 'away')];
        const path = join(there, 'things.ndjson');
        return {
          sink: () => ndjsonSink<Thing>(path, { keyOf }),
          stored: () =>
            readFileSync(path, 'utf8')
              .trimEnd()
              .split('\n')
              .map((line) => JSON.parse(line) as Thing),
          outage() {
            let hadFolder = true;
            try {
              renameSync(there, away);
            } catch {
              hadFolder = false;
            }
            // ELOOP, which is transient. A file in the way of the folder would be ENOTDIR, which is fatal.
            symlinkSync(there, there);
            return () => {
              rmSync(there);
              if (hadFolder) renameSync(away, there);
            };
          },
          close: () => rmSync(folder, { recursive: true, force: true }),
        };
      },
      item: thing,
      // No JSON holds it.
      poison: (index) => ({ key: `p${index}`, version: 1, size: 1n }) as Thing,
      notApplicable: { ...ALL_VERSIONS, 'SK-2.1': APPENDS, 'SK-2.2': APPENDS, 'SK-3.5': APPENDS },
    })),
  ],
  newsSink: [onTable('postgres', NEWS), onTable('pglite', NEWS)],
  optionsSink: [onTable('postgres', OPTIONS), onTable('pglite', OPTIONS)],
  quotesSink: [onTable('postgres', QUOTES), onTable('pglite', QUOTES)],
  tableSink: [onTable('postgres', OWN), onTable('pglite', OWN)],
  tradesSink: [onTable('postgres', TRADES), onTable('pglite', TRADES)],
};
