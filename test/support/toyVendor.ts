import { type Observable, Subject, VirtualTimeScheduler } from 'rxjs';
import { Gate } from '../../src/flow/gate.js';
import { PipelineMonitor } from '../../src/flow/monitor.js';
import { withContext } from '../../src/flow/withContext.js';
import type { MarketEvent } from '../../src/market/recordKinds.js';
import { defineProvider } from '../../src/providers/defineProvider.js';
import type { ProviderParts, SubscriptionRequest } from '../../src/providers/provider.js';
import {
  BadCredentials,
  PacingViolation,
  type ProviderError,
  QuotaExceeded,
  UnknownInstrument,
} from '../../src/providers/providerErrors.js';
import { type ProviderSession, type Series, type SessionStep, Unreadable } from '../../src/providers/session.js';
import type { ProviderStreamConfig } from '../../src/providers/streamConfig.js';
import { type ScriptedConnection, scriptedConnect } from '../../src/testing/scriptedConnect.js';

/** The frames of a vendor that exists in tests only. */
export interface ToyFrame {
  readonly welcome?: true;
  readonly ok?: readonly string[];
  readonly no?: readonly string[];
  readonly busy?: readonly string[];
  readonly data?: readonly unknown[];
  readonly hole?: readonly [string, number, number, number?];
  readonly notice?: string;
  readonly handOver?: true;
  readonly fail?: 'key' | 'quota' | 'pace' | 'words';
  readonly retryAfterMs?: number;
}

const NOTHING: SessionStep = {};
const seriesOf = (text: string): Series => {
  const [of, symbol] = text.split(' ') as [Series['of'], string];
  return { of, symbol };
};
const refusals = (all: readonly string[] | undefined, error: (words: string) => ProviderError) =>
  all?.map((text) => ({ series: seriesOf(text), error: error(`${text} is refused`) }));

/** Logs in, subscribes with a frame per call, and takes what the test says. */
export class ToySession implements ProviderSession {
  opened(): SessionStep {
    return { send: ['login'] };
  }

  frame(frame: string | Uint8Array): SessionStep {
    const said = JSON.parse(String(frame)) as ToyFrame;
    return {
      isReady: said.welcome === true,
      ...(said.ok && { confirmed: said.ok.map(seriesOf) }),
      refused: [
        ...(refusals(said.no, (words) => new UnknownInstrument('toy', words)) ?? []),
        ...(refusals(said.busy, (words) => new QuotaExceeded('toy', words)) ?? []),
      ],
      ...(said.data && { elements: said.data }),
      ...(said.hole && {
        holes: [
          {
            series: seriesOf(said.hole[0]),
            from: said.hole[1],
            to: said.hole[2],
            ...(said.hole[3] !== undefined && { rows: said.hole[3] }),
          },
        ],
      }),
      ...(said.notice && { notices: [said.notice] }),
      ...(said.handOver && { handOver: true }),
      ...(said.fail && { fail: failure(said) }),
    };
  }

  timer(): SessionStep {
    return NOTHING;
  }

  subscribe(series: readonly Series[]): SessionStep {
    return { send: [`sub ${series.map(({ of, symbol }) => `${of} ${symbol}`).join()}`] };
  }

  unsubscribe(series: readonly Series[]): SessionStep {
    return { send: [`unsub ${series.map(({ of, symbol }) => `${of} ${symbol}`).join()}`] };
  }
}

function failure({ fail, retryAfterMs }: ToyFrame): ProviderError {
  const options = retryAfterMs === undefined ? {} : { retryAfterMs };
  if (fail === 'key') return new BadCredentials('toy', 'Unknown key: s3cret', { cause: 'Unknown key: s3cret' });
  return fail === 'quota' ? new QuotaExceeded('toy', 'too many', options) : new PacingViolation('toy', 'slow', options);
}

/** The elements of the toy: `[kind, symbol, time, price]`, then whether a bar is final, and the vendor's number. */
export function toyNormalise(element: unknown): MarketEvent | readonly MarketEvent[] | Unreadable {
  if (element === 'boom') throw new TypeError('boom');
  if (!Array.isArray(element)) return new Unreadable('not an array');
  const [kind, symbol, ts, price, isFinal, seq] = element;
  const base = { vendor: 'toy', symbol, ts, ...(seq !== undefined && { seq }) };
  const sides = { bid: price, bidSize: 1, ask: price, askSize: 1 };
  if (kind === 'quote') return { ...base, kind, ...sides, id: String(ts) };
  if (kind === 'trade') return { ...base, kind, price, size: 1, id: String(ts) };
  if (kind === 'none') return [];
  const ohlc = { open: price, high: price, low: price, close: price, volume: 1 };
  return { ...base, kind: 'bar', timeframe: '1m', ...ohlc, ...(isFinal !== undefined && { isFinal }) };
}

export const trade = (symbol: string, ts: number) => ['trade', symbol, ts, 1];
export const quote = (symbol: string, ts: number) => ['quote', symbol, ts, 1];

/** A record in short: `trade A 5`; `gap A 5-9 reconnect`. */
export function brief(record: MarketEvent): string {
  if (record.kind === 'gap') return `gap ${record.symbol} ${record.from}-${record.to} ${record.cause}`;
  return 'ts' in record ? `${record.kind} ${record.symbol} ${record.ts}` : record.kind;
}

export interface ToyStreamConfig extends ProviderStreamConfig {
  readonly parts?: Partial<ProviderParts>;
  readonly request?: Partial<SubscriptionRequest>;
}

/** A subscribed stream of the toy, in virtual time, with its vendor, its gate and its monitor. Jitter is off. */
export function toyStream({ parts = {}, request = {}, ...config }: ToyStreamConfig = {}) {
  const scheduler = new VirtualTimeScheduler(undefined, Number.POSITIVE_INFINITY);
  const vendor = scriptedConnect();
  const gate = new Gate();
  const monitor = new PipelineMonitor();
  const stopping = new Subject<void>();
  const log: string[] = [];
  const seen: MarketEvent[] = [];
  let error: unknown;
  const all: ProviderParts = {
    name: 'toy',
    kinds: ['trade', 'quote', 'bar'],
    pacing: {},
    session: () => new ToySession(),
    normalise: toyNormalise,
    connect: vendor.connect,
    ...parts,
  };
  const provider = defineProvider(all, { jitter: 'none', scheduler, ...config });
  const stream$: Observable<MarketEvent> = provider.stream({ kinds: ['trade'], symbols: ['A', 'B'], ...request });
  const subscription = stream$.pipe(withContext({ gate, monitor, stopping })).subscribe({
    next(record) {
      seen.push(record);
      log.push(brief(record));
    },
    error(failure) {
      error = failure;
      log.push(`error ${failure.code ?? failure}`);
    },
    complete: () => log.push('complete'),
  });
  const say = (frame: ToyFrame, to: ScriptedConnection = vendor.last) => to.receive(JSON.stringify(frame));
  return {
    scheduler,
    vendor,
    gate,
    monitor,
    stopping,
    subscription,
    log,
    seen,
    say,
    get error() {
      return error;
    },
    get feed() {
      return monitor.feeds[0]!;
    },
    /** What came since it was called last. */
    take: () => log.splice(0),
    /** Lets time pass. */
    pass(ms: number) {
      const until = scheduler.frame + ms;
      scheduler.maxFrames = until;
      scheduler.schedule(() => {}, ms);
      scheduler.flush();
      scheduler.maxFrames = Number.POSITIVE_INFINITY;
    },
    /** Opens the connection of now, logs in, and confirms. */
    login(...confirmed: string[]) {
      vendor.last.open();
      say({ welcome: true });
      if (confirmed.length > 0) say({ ok: confirmed });
    },
  };
}
