import { type Observable, VirtualTimeScheduler } from 'rxjs';
import type { GapLedger, GapSpan } from '../../src/contracts/gapLedger.js';
import { type Gap, gapKey, gapSeq } from '../../src/market/gap.js';
import { type MarketEvent, RECORD_KINDS, type RecordKind } from '../../src/market/recordKinds.js';
import type { RecordDescription } from '../../src/market/recordShape.js';
import type { Trade } from '../../src/market/trade.js';
import type { HistoryRange, Provider } from '../../src/providers/provider.js';

export const T = Date.UTC(2026, 0, 5, 15);

/** A trade of the vendor `toy`, so many milliseconds after T. */
export const tradeAt = (ms: number, fields: Partial<Trade> = {}): Trade => ({
  ...{ kind: 'trade', vendor: 'toy', symbol: 'A', ts: T + ms, price: 1, size: 1, id: String(ms), seq: 1 },
  ...fields,
});

/** An open gap of trades from so many milliseconds after T to so many. */
export const gapAt = (from: number, to: number, fields: Partial<Gap> = {}): Gap => ({
  ...{ kind: 'gap', vendor: 'toy', symbol: 'A', of: 'trade', from: T + from, to: T + to, cause: 'reconnect' },
  ...{ state: 'open', seq: gapSeq('open', T) },
  ...fields,
});

const describe = (record: MarketEvent) => RECORD_KINDS[record.kind] as unknown as RecordDescription<MarketEvent>;

/** A store in memory, whose rows only a higher version replaces. */
export class MemoryLedger implements Required<GapLedger> {
  readonly records = new Map<string, MarketEvent>();
  readonly gaps = new Map<string, Gap>();
  /** How often each question was asked. */
  readonly asked = { open: 0, count: 0, has: 0, closed: 0, find: 0 };
  /** Fails the next questions. */
  failures = 0;

  write(record: MarketEvent): void {
    const key = `${record.kind}\u0000${describe(record).key(record)}`;
    const rows = (record.kind === 'gap' ? this.gaps : this.records) as Map<string, MarketEvent>;
    const known = rows.get(key);
    if (known === undefined || (record.seq ?? Number.POSITIVE_INFINITY) > (known.seq ?? 0)) rows.set(key, record);
  }

  gap(gap: Gap): Gap | undefined {
    return this.gaps.get(`gap\u0000${gapKey(gap)}`);
  }

  of(span: GapSpan): MarketEvent[] {
    return [...this.records.values()].filter((record) => {
      const { vendor, symbol, timeframe } = record as Trade & { timeframe?: string };
      if (record.kind !== span.of || vendor !== span.vendor) return false;
      if (span.symbol !== '*' && symbol !== span.symbol) return false;
      if (span.timeframe !== undefined && timeframe !== span.timeframe) return false;
      const at = describe(record).eventTime(record);
      return at >= span.from && at <= span.to;
    });
  }

  open() {
    this.#ask('open');
    return [...this.gaps.values()].filter(({ state }) => state === 'open').sort((a, b) => a.from - b.from);
  }

  count(span: GapSpan) {
    this.#ask('count');
    return [this.of(span).length];
  }

  has(records: readonly MarketEvent[]) {
    this.#ask('has');
    const present = records.filter((one) => {
      const stored = this.records.get(`${one.kind}\u0000${describe(one).key(one)}`);
      return stored !== undefined && (one.seq === undefined || (stored.seq ?? 0) >= one.seq);
    });
    return [present.length];
  }

  closed(span: GapSpan) {
    this.#ask('closed');
    return [...this.gaps.values()].filter(
      ({ vendor, symbol, of, timeframe, from, to, state }) =>
        state !== 'open' &&
        [vendor, symbol, of, timeframe].join() === [span.vendor, span.symbol, span.of, span.timeframe].join() &&
        from <= span.to &&
        to >= span.from,
    );
  }

  find(gap: Gap) {
    this.#ask('find');
    const found = this.gap(gap);
    return found ? [found] : [];
  }

  #ask(question: keyof MemoryLedger['asked']): void {
    this.asked[question] += 1;
    if (this.failures > 0) {
      this.failures -= 1;
      throw new Error('the store is away');
    }
  }
}

/** A provider that has a past and no present. */
export function pastOf(
  history: ((range: HistoryRange, n: number) => AsyncIterable<unknown>) | undefined,
  fields: Partial<Provider> = {},
): Provider & { readonly asked: HistoryRange[] } {
  const asked: HistoryRange[] = [];
  return {
    ...{ name: 'toy', kinds: ['trade', 'bar'] as readonly RecordKind[], pacing: {}, asked },
    stream: () => {
      throw new Error('no stream');
    },
    ...(history && {
      history: (range) => {
        asked.push(range);
        return history(range, asked.length) as AsyncIterable<readonly MarketEvent[]>;
      },
    }),
    ...fields,
  };
}

/** Pages of those of the records that a range asks for. */
export async function* pagesOf(
  records: readonly MarketEvent[],
  { symbol, from, to }: HistoryRange,
  size = 2,
): AsyncGenerator<readonly MarketEvent[]> {
  const asked = records.filter((one) => {
    const at = describe(one).eventTime(one);
    return at >= from && at < to && (one as Trade).symbol === symbol;
  });
  for (let at = 0; at < asked.length; at += size) yield asked.slice(at, at + size);
}

/** Lets every promise settle that does not wait for time. */
export const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

/** What a clock shows at first: late enough for gaps that began at T to be asked for. */
export const NOW = T + 3_600_000;

/** A clock that begins then. */
export function virtualClock(): VirtualTimeScheduler {
  const clock = new VirtualTimeScheduler();
  clock.frame = NOW;
  return clock;
}

/** Runs what waits on a clock, and the promises in between, until nothing is left or so much time has passed: three days. */
export async function pass(clock: VirtualTimeScheduler, ms = 3 * 86_400_000): Promise<void> {
  const end = clock.frame + ms;
  for (;;) {
    // A history of a test may take turns of the event loop too.
    for (let i = 0; i < 4; i++) await settled();
    // RxJS leaves actions that were unsubscribed in the list.
    const next = clock.actions.filter(({ closed }) => !closed).sort((a, b) => a.delay - b.delay)[0];
    if (next === undefined || next.delay > end) break;
    clock.maxFrames = next.delay;
    clock.flush();
  }
  if (ms < 2 * 86_400_000) clock.frame = end;
}

/** Writes a stream into a ledger, each record so much later, and keeps what came. */
export function storing(
  source$: Observable<MarketEvent>,
  ledger: MemoryLedger,
  clock: VirtualTimeScheduler,
  { delayMs = 10, refuse = () => false }: { delayMs?: number; refuse?: (record: MarketEvent) => boolean } = {},
) {
  const out: MarketEvent[] = [];
  const state = { out, isComplete: false, error: undefined as unknown };
  const subscription = source$.subscribe({
    next(record) {
      out.push(record);
      if (!refuse(record)) clock.schedule(() => ledger.write(record), delayMs);
    },
    error: (error) => {
      state.error = error;
    },
    complete: () => {
      state.isComplete = true;
    },
  });
  return Object.assign(state, { unsubscribe: () => subscription.unsubscribe() });
}
