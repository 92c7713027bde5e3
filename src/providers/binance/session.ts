import { ConnectionLost, QuotaExceeded, UnknownInstrument } from '../providerErrors.js';
import type { Frame, Hole, ProviderSession, Refusal, Series, SessionStep } from '../session.js';
import { instant, isCount } from './normalise.js';
import { type BinanceTrades, streamOf } from './streamNames.js';

/** https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams#websocket-limits */
export const MAX_STREAMS = 1024;

/** Streams in one request. The vendor names no limit; a frame of this many stays below 4 KiB. */
const STREAMS_PER_REQUEST = 100;

export interface BinanceSessionConfig {
  readonly trades: BinanceTrades;
  /** The age at which a connection is handed over to its successor, in milliseconds. */
  readonly handOverAfterMs: number;
}

interface Request {
  readonly method: 'SUBSCRIBE' | 'UNSUBSCRIBE';
  readonly streams: readonly string[];
}

/** The trade that came last for a symbol. */
interface LastTrade {
  id: number;
  ts: number;
}

type Raw = Readonly<Record<string, unknown>>;

/**
 * The dialogue of one connection to `/stream`: streams are subscribed while it is open, each request is answered by its id, and
 * events come as `{ stream, data }`.
 *
 * Ids of trades, aggregated or not, have no holes for a symbol: a jump says that trades are missing, and between which times.
 */
export function binanceSession(config: BinanceSessionConfig): ProviderSession {
  return new BinanceSession(config);
}

class BinanceSession implements ProviderSession {
  readonly #config: BinanceSessionConfig;
  /** What is subscribed, or asked for. */
  readonly #seriesOf = new Map<string, Series>();
  readonly #requests = new Map<number, Request>();
  readonly #lastTrades = new Map<string, LastTrade>();
  #nextId = 1;
  #handOverAt = Number.POSITIVE_INFINITY;

  constructor(config: BinanceSessionConfig) {
    this.#config = config;
  }

  opened(now: number): SessionStep {
    this.#handOverAt = now + this.#config.handOverAfterMs;
    return { isReady: true, wakeAt: this.#handOverAt };
  }

  subscribe(series: readonly Series[]): SessionStep {
    const refused: Refusal[] = [];
    const streams: string[] = [];
    for (const one of series) {
      const { name, problem } = streamOf(one, this.#config.trades);
      if (name === undefined) refused.push({ series: one, error: new UnknownInstrument('binance', problem) });
      else if (this.#seriesOf.has(name)) continue;
      else if (this.#seriesOf.size >= MAX_STREAMS) refused.push({ series: one, error: tooMany(name) });
      else {
        this.#seriesOf.set(name, one);
        streams.push(name);
      }
    }
    return { send: this.#request('SUBSCRIBE', streams), refused };
  }

  unsubscribe(series: readonly Series[]): SessionStep {
    const streams: string[] = [];
    for (const one of series) {
      const { name } = streamOf(one, this.#config.trades);
      if (name === undefined || !this.#seriesOf.delete(name)) continue;
      if (one.of === 'trade') this.#lastTrades.delete(one.symbol);
      streams.push(name);
    }
    return { send: this.#request('UNSUBSCRIBE', streams) };
  }

  frame(frame: Frame): SessionStep {
    if (typeof frame !== 'string') return nonsense('a binary frame', undefined);
    let message: unknown;
    try {
      message = JSON.parse(frame);
    } catch (error) {
      return nonsense('a frame that is not JSON', error);
    }
    if (typeof message !== 'object' || message === null) return nonsense('a frame that is no object', message);
    const raw = message as Raw;
    if (typeof raw.stream === 'string') return this.#event(raw.data);
    if (raw.e !== undefined) return this.#event(raw);
    if (raw.error !== undefined || raw.code !== undefined) return this.#refusal(raw);
    if (raw.id !== undefined) return this.#answer(raw.id);
    return nonsense('neither an event nor an answer', raw);
  }

  timer(now: number): SessionStep {
    if (now < this.#handOverAt) return { wakeAt: this.#handOverAt };
    this.#handOverAt = Number.POSITIVE_INFINITY;
    return { handOver: true };
  }

  #event(data: unknown): SessionStep {
    if (typeof data === 'object' && data !== null) {
      const { e } = data as Raw;
      if (e === 'serverShutdown') return this.#serverShutdown();
      if (e === 'aggTrade' || e === 'trade') {
        const hole = this.#hole(data as Raw, e === 'trade' ? (data as Raw).t : (data as Raw).a);
        if (hole) return { elements: [data], holes: [hole] };
      }
    }
    return { elements: [data] };
  }

  #serverShutdown(): SessionStep {
    this.#handOverAt = Number.POSITIVE_INFINITY;
    const notices = ['serverShutdown: the server is about to end the connection'];
    return { handOver: true, notices, wakeAt: Number.POSITIVE_INFINITY };
  }

  /** What is missing before this trade. A trade that cannot be read says nothing. */
  #hole({ s: symbol, T }: Raw, id: unknown): Hole | undefined {
    const ts = instant(T);
    if (typeof symbol !== 'string' || !isCount(id) || Number.isNaN(ts)) return undefined;
    const last = this.#lastTrades.get(symbol);
    if (!last) {
      // Only of what is wanted: what the vendor sends besides must not grow the map.
      const { name } = streamOf({ of: 'trade', symbol }, this.#config.trades);
      if (name !== undefined && this.#seriesOf.has(name)) this.#lastTrades.set(symbol, { id, ts });
      return undefined;
    }
    if (id <= last.id) return undefined;
    const rows = id - last.id - 1;
    const hole = rows === 0 ? undefined : { series: { of: 'trade', symbol } as const, from: last.ts, to: ts, rows };
    last.id = id;
    last.ts = ts;
    return hole;
  }

  #answer(id: unknown): SessionStep {
    const request = this.#requests.get(id as number);
    if (!request) return {};
    this.#requests.delete(id as number);
    return request.method === 'SUBSCRIBE' ? { confirmed: this.#wanted(request.streams) } : {};
  }

  /** `{ "error": { "code", "msg" }, "id" }`, or without the envelope; some name no id. */
  #refusal(raw: Raw): SessionStep {
    const { code, msg } = (typeof raw.error === 'object' && raw.error !== null ? raw.error : raw) as Raw;
    // Neither is asked for its text: of an array of arrays that may be too deep for the stack.
    const words = `${typeof msg === 'string' ? msg : 'no message'} (code ${typeof code === 'number' ? code : 'unknown'})`;
    const [first] = this.#requests.keys();
    // Without an id it can be attributed only if nothing else is under way; otherwise the time for an answer tells.
    const id = raw.id ?? (this.#requests.size === 1 ? first : undefined);
    if (!this.#requests.has(id as number)) return { notices: [`error: ${words}`] };
    return this.#failed(id as number, words, raw);
  }

  /** One stream of a request may be at fault: halves are asked again, until it stands alone. */
  #failed(id: number, words: string, cause: unknown): SessionStep {
    const { method, streams } = this.#requests.get(id)!;
    this.#requests.delete(id);
    if (method === 'UNSUBSCRIBE') return { notices: [`an UNSUBSCRIBE failed: ${words}`] };
    const wanted = streams.filter((name) => this.#seriesOf.has(name));
    if (wanted.length > 1) {
      const half = Math.ceil(wanted.length / 2);
      return { send: [wanted.slice(0, half), wanted.slice(half)].flatMap((some) => this.#request(method, some)) };
    }
    const refused = this.#wanted(wanted).map((series) => {
      return {
        series,
        error: new UnknownInstrument('binance', `${series.symbol} was refused (${wanted[0]}): ${words}`, { cause }),
      };
    });
    for (const name of wanted) this.#seriesOf.delete(name);
    return { refused };
  }

  #wanted(streams: readonly string[]): readonly Series[] {
    return streams.flatMap((name) => this.#seriesOf.get(name) ?? []);
  }

  #request(method: Request['method'], streams: readonly string[]): readonly Frame[] {
    const frames: Frame[] = [];
    for (let from = 0; from < streams.length; from += STREAMS_PER_REQUEST) {
      const params = streams.slice(from, from + STREAMS_PER_REQUEST);
      const id = this.#nextId++;
      this.#requests.set(id, { method, streams: params });
      frames.push(JSON.stringify({ method, params, id }));
    }
    return frames;
  }
}

function nonsense(what: string, cause: unknown): SessionStep {
  return { fail: new ConnectionLost('binance', `the server sent ${what}`, { cause }) };
}

function tooMany(name: string): QuotaExceeded {
  const remedy = 'ask for the rest with another binance() provider, which has a connection of its own';
  return new QuotaExceeded('binance', `${name} is beyond the ${MAX_STREAMS} streams of one connection: ${remedy}`);
}
