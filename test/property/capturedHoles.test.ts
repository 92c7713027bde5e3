import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { filter, lastValueFrom, toArray, VirtualTimeScheduler } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Gap } from '../../src/market/gap.js';
import type { MarketEvent } from '../../src/market/recordKinds.js';
import { detectGaps } from '../../src/operators/detectGaps.js';
import { binance } from '../../src/providers/binance/index.js';
import { coinbase } from '../../src/providers/coinbase/index.js';
import { captureFrames } from '../../src/providers/frames/captureFrames.js';
import { replayFrames } from '../../src/providers/frames/replayFrames.js';
import type { Provider } from '../../src/providers/provider.js';
import type { ProviderStreamConfig } from '../../src/providers/streamConfig.js';
import { type ScriptedConnect, scriptedConnect } from '../../src/testing/scriptedConnect.js';
import { Folder } from '../support/folder.js';

const START = Date.UTC(2026, 0, 5, 14, 30);

/** How many data frames a session has. */
const FRAMES = 240;

interface Venue {
  readonly make: (config: ProviderStreamConfig) => Provider;
  readonly symbols: readonly string[];
  /** Confirms the subscriptions. */
  readonly begin: (vendor: ScriptedConnect) => void;
  /** The frame with this number of the session, with one trade of one of the symbols. */
  readonly frame: (i: number) => string;
}

const SYMBOLS = ['BTCUSDT', 'ETHBTC', 'BNBUSDT'];
/** The symbols take turns irregularly. */
const symbolOf = (i: number) => (i * i + (i >> 2)) % 3;
const idOf = (i: number) =>
  7_000 + Array.from({ length: i }, (_, j) => j).filter((j) => symbolOf(j) === symbolOf(i)).length;
const atOf = (i: number) => START + 1_000 + i * 7;

const BINANCE: Venue = {
  make: (config) => binance(config),
  symbols: SYMBOLS,
  begin: (vendor) => vendor.last.receive('{"result":null,"id":1}'),
  frame(i) {
    const symbol = SYMBOLS[symbolOf(i)]!;
    const data = { e: 'trade', E: atOf(i), s: symbol, t: idOf(i), p: '1.5', q: '2', T: atOf(i), m: true, M: true };
    return JSON.stringify({ stream: `${symbol.toLowerCase()}@trade`, data });
  },
};

const PRODUCTS = ['BTC-USD', 'ETH-USD', 'SOL-USD'];

const COINBASE: Venue = {
  make: (config) => coinbase(config),
  symbols: PRODUCTS,
  begin(vendor) {
    const events = [{ subscriptions: { market_trades: PRODUCTS, heartbeats: ['heartbeats'] } }];
    const timestamp = new Date(START).toISOString();
    vendor.last.receive(JSON.stringify({ channel: 'subscriptions', timestamp, sequence_num: 0, events }));
  },
  frame(i) {
    const at = new Date(atOf(i)).toISOString();
    const trade = {
      trade_id: String(idOf(i)),
      product_id: PRODUCTS[symbolOf(i)],
      price: '1.5',
      size: '2',
      side: 'BUY',
      time: at,
    };
    const events = [{ type: 'update', trades: [trade] }];
    return JSON.stringify({ channel: 'market_trades', timestamp: at, sequence_num: i + 1, events });
  },
};

/** Captures a session of the venue, as it would have been captured live, into a folder. */
async function captured({ make, symbols, begin, frame }: Venue, folder: string): Promise<void> {
  const scheduler = new VirtualTimeScheduler(undefined, Number.POSITIVE_INFINITY);
  scheduler.frame = START;
  const capture = captureFrames(folder, { scheduler });
  const vendor = scriptedConnect();
  const provider = make({ scheduler, wrapConnect: (_, of) => capture.wrapConnect(vendor.connect, of) });
  const seen: MarketEvent[] = [];
  const subscription = provider.stream({ kinds: ['trade'], symbols }).subscribe((event) => seen.push(event));
  vendor.last.open();
  begin(vendor);
  for (let i = 0; i < FRAMES; i += 1) {
    scheduler.frame = atOf(i);
    vendor.last.receive(frame(i));
  }
  subscription.unsubscribe();
  await capture.close();
  expect(seen).toHaveLength(FRAMES);
}

/** The same capture without these data frames. */
function cut(from: string, to: string, removed: ReadonlySet<number>): void {
  for (const name of readdirSync(from)) {
    const [header, ...lines] = gunzipSync(readFileSync(`${from}/${name}`))
      .toString()
      .trimEnd()
      .split('\n');
    let data = -1;
    const kept = lines.slice(0, -1).filter((line) => {
      const { is, text } = JSON.parse(line) as { is: string; text?: string };
      if (is !== 'in' || !/"e":"trade"|"trade_id"/.test(text ?? '')) return true;
      data += 1;
      return !removed.has(data);
    });
    expect(data).toBe(FRAMES - 1);
    const end = JSON.stringify({ is: 'end', lines: kept.length });
    writeFileSync(`${to}/${name}`, gzipSync(`${[header, ...kept, end].join('\n')}\n`));
  }
}

/** Plays a capture through the provider, and gives what its stream emits. */
function replayed({ make, symbols }: Venue, folder: string) {
  const replay = replayFrames(folder, { speed: 'max' });
  return make({ ...replay.config }).stream({ kinds: ['trade'], symbols });
}

const isGap = (event: MarketEvent): event is Gap => event.kind === 'gap';
const short = ({ symbol, from, to, rows }: Gap) => `${symbol} ${from}-${to} x${rows}`;

/** The frames to remove: never the first or the last of a symbol, behind or before which nobody can know of a hole. */
const removals = fc
  .uniqueArray(fc.nat(FRAMES - 1), { minLength: 1, maxLength: 60 })
  .map((all) => new Set(all.filter((i) => i >= 6 && i < FRAMES - 6)))
  .filter((all) => all.size > 0);

const run = { seed: 20_260_105, numRuns: 12 };

describe.each([
  ['binance', BINANCE],
  ['coinbase', COINBASE],
] as const)('k frames cut out of a captured session of %s', (name, venue) => {
  const folder = new Folder();
  let full: string;
  let count = 0;
  beforeAll(async () => {
    full = folder.path('full');
    await captured(venue, full);
  });
  afterAll(() => folder.remove());

  const without = (removed: ReadonlySet<number>) => {
    count += 1;
    const path = folder.path(`cut-${count}`);
    mkdirSync(path);
    cut(full, path, removed);
    return path;
  };

  it('are none where none is cut out', async () => {
    const path = without(new Set());
    const events = await lastValueFrom(replayed(venue, path).pipe(toArray()));
    expect([events.length, events.filter(isGap)]).toEqual([FRAMES, []]);
  });

  /** What is missing between the trades that came, per symbol. */
  const expected = (removed: ReadonlySet<number>) => {
    const gaps: string[] = [];
    const before = new Map<number, number>();
    for (let i = 0; i < FRAMES; i += 1) {
      if (removed.has(i)) continue;
      const symbol = symbolOf(i);
      const last = before.get(symbol);
      const rows = last === undefined ? 0 : idOf(i) - idOf(last) - 1;
      if (rows > 0) gaps.push(`${venue.symbols[symbol]} ${atOf(last!)}-${atOf(i)} x${rows}`);
      before.set(symbol, i);
    }
    return gaps;
  };

  const detector = () =>
    detectGaps<MarketEvent>({
      by: (event) => (event.kind === 'trade' ? event.symbol : ''),
      sequence: (event) => (event.kind === 'trade' ? Number(event.id) : undefined),
    });

  it('are exactly those that detectGaps() reports behind it', async () => {
    await fc.assert(
      fc.asyncProperty(removals, async (removed) => {
        const trades$ = replayed(venue, without(removed)).pipe(filter(({ kind }) => kind === 'trade'));
        const events = await lastValueFrom(trades$.pipe(detector(), toArray()));
        const gaps = events.filter(isGap);
        expect(gaps.map(short)).toEqual(expected(removed));
        expect(gaps.reduce((sum, { rows }) => sum + rows!, 0)).toBe(removed.size);
        expect(events.length - gaps.length).toBe(FRAMES - removed.size);
      }),
      run,
    );
  });

  it('are exactly those that its session reports', async () => {
    await fc.assert(
      fc.asyncProperty(removals, async (removed) => {
        const events = await lastValueFrom(replayed(venue, without(removed)).pipe(toArray()));
        const gaps = events.filter(isGap);
        for (const gap of gaps)
          expect(gap).toMatchObject({ cause: 'sequence', of: 'trade', state: 'open', vendor: name });
        if (name === 'binance') {
          expect(gaps.map(short)).toEqual(expected(removed));
          expect(gaps.reduce((sum, { rows }) => sum + rows!, 0)).toBe(removed.size);
          return;
        }
        // It numbers messages rather than trades: each run of lost ones is a hole in every series.
        const runs = [...removed].filter((i) => !removed.has(i + 1)).sort((a, b) => a - b);
        expect(gaps.map(({ symbol, to }) => `${symbol} ${to}`)).toEqual(
          runs.flatMap((i) => venue.symbols.map((symbol) => `${symbol} ${atOf(i + 1)}`)),
        );
        for (const i of removed) {
          const symbol = venue.symbols[symbolOf(i)];
          const around = gaps.filter((gap) => gap.symbol === symbol && gap.from < atOf(i) && atOf(i) < gap.to);
          // One that begins at the last trade of its symbol may reach over the hole before.
          expect(around.length).toBeGreaterThanOrEqual(1);
        }
      }),
      run,
    );
  });
});
