import { marketEventCodec } from '../../../src/market/codecs.js';
import type { RecordKind } from '../../../src/market/recordKinds.js';
import type { Trade } from '../../../src/market/trade.js';
import {
  BadCredentials,
  ConnectionLost,
  NotEntitled,
  type ProviderError,
  QuotaExceeded,
  UnknownInstrument,
} from '../../../src/providers/providerErrors.js';
import {
  type Frame,
  type Hole,
  type Normalise,
  type ProviderSession,
  type Series,
  type SessionStep,
  Unreadable,
} from '../../../src/providers/session.js';

interface Answer {
  readonly op: string;
  readonly code?: string;
  readonly text?: string;
  readonly series?: string;
  readonly records?: readonly unknown[];
}

const NAME = 'reference';

/** The session of the reference provider. */
export class ReferenceSession implements ProviderSession {
  readonly #key: string;
  /** By symbol. */
  readonly #lastTrades = new Map<string, Trade>();

  constructor(key: string) {
    this.#key = key;
  }

  opened(): SessionStep {
    return {};
  }

  timer(): SessionStep {
    return {};
  }

  subscribe(series: readonly Series[]): SessionStep {
    return { send: [JSON.stringify({ op: 'subscribe', series: series.map(nameOf) })] };
  }

  unsubscribe(series: readonly Series[]): SessionStep {
    return { send: [JSON.stringify({ op: 'unsubscribe', series: series.map(nameOf) })] };
  }

  frame(frame: Frame): SessionStep {
    let answer: unknown;
    try {
      answer = JSON.parse(String(frame));
    } catch (cause) {
      return { fail: new ConnectionLost(NAME, 'a message is not JSON', { cause }) };
    }
    if (!isAnswer(answer)) return { fail: new ConnectionLost(NAME, 'a message is not of the protocol') };
    return this.answer(answer);
  }

  protected answer({ op, code, text, series = '', records = [] }: Answer): SessionStep {
    if (op === 'data') return { elements: records, holes: records.flatMap((record) => this.#hole(record)) };
    if (op === 'leaving') return { handOver: true };
    if (op === 'hello') return { send: [JSON.stringify({ op: 'login', key: this.#key })] };
    if (op === 'welcome') return { isReady: true };
    if (op === 'subscribed') return { confirmed: [seriesOf(series)] };
    if (op === 'unsubscribed') return {};
    if (op === 'refused') {
      const error = new UnknownInstrument(NAME, `${series} was refused: ${text}`, { cause: text });
      return { refused: [{ series: seriesOf(series), error }] };
    }
    if (op === 'bye') return { fail: this.farewell(code, text) };
    return { fail: new ConnectionLost(NAME, `unknown message ${op}`) };
  }

  /** Ids of trades have no holes for a symbol. */
  #hole(record: unknown): readonly Hole[] {
    const trade = record as Trade;
    if (trade?.kind !== 'trade' || !/^\d+$/.test(trade.id)) return [];
    const { symbol, id, ts } = trade;
    const last = this.#lastTrades.get(symbol);
    if (last && Number(id) <= Number(last.id)) return [];
    this.#lastTrades.set(symbol, trade);
    const rows = last ? Number(id) - Number(last.id) - 1 : 0;
    return last && rows > 0 ? [{ series: { of: 'trade', symbol }, from: last.ts, to: ts, rows }] : [];
  }

  protected farewell(code: string | undefined, text = ''): ProviderError {
    const options = { cause: text };
    if (code === 'credentials') return new BadCredentials(NAME, `the login was rejected: ${text}`, options);
    if (code === 'entitlement') return new NotEntitled(NAME, `the plan lacks these data: ${text}`, options);
    return new QuotaExceeded(NAME, `too many connections: ${text}`, options);
  }
}

function isAnswer(value: unknown): value is Answer {
  const { series = '', records = [] } = (value ?? {}) as Partial<Record<keyof Answer, unknown>>;
  return typeof value === 'object' && value !== null && typeof series === 'string' && Array.isArray(records);
}

/** A record comes as it is, but for its `seq`: of trades their number, of others the time of receipt in microseconds. */
export function referenceNormaliser(): Normalise {
  let last = 0;
  return (element, receivedAt) => {
    if (!marketEventCodec.is(element)) return new Unreadable('it is no record');
    last = Math.max(last + 1, receivedAt * 1_000);
    const seq = element.kind === 'trade' && /^\d+$/.test(element.id) ? Number(element.id) : last;
    return { ...element, vendor: NAME, seq };
  };
}

function nameOf({ of, symbol }: Series): string {
  return `${of} ${symbol}`;
}

export function seriesOf(name: string): Series {
  const end = name.indexOf(' ');
  const of = name.slice(0, end) as RecordKind;
  return of === 'bar' ? { of, symbol: name.slice(end + 1), timeframe: '1m' } : { of, symbol: name.slice(end + 1) };
}
