import type { SchedulerLike } from 'rxjs';
import { Backoff } from '../../policies/backoff.js';
import type { PacingProfile } from '../../policies/pacingProfile.js';
import { SharedPacer } from '../../policies/sharedPacer.js';
import { eventLoopScheduler } from '../../primitives/eventLoopScheduler.js';
import {
  checked,
  duration,
  func,
  having,
  integer,
  listOf,
  type OptionsOf,
  type Read,
  readOptions,
  reject,
  text,
  unchecked,
} from '../../primitives/options.js';
import { Xoshiro128 } from '../../primitives/xoshiro128.js';
import type { HistoryRange } from '../provider.js';
import { ConnectionLost, isProviderError, type ProviderError } from '../providerErrors.js';
import { maskedStart, maskSecrets, withoutSecrets } from '../stream/streamErrors.js';
import { AnswerTooLarge, fetchText } from './fetchText.js';
import { waitFor } from './waitFor.js';

export interface RestClientConfig {
  /** The provider, as errors name it. */
  readonly name: string;
  /** Where paths begin: `https://api.example.com`. Nothing is asked of any other origin. */
  readonly baseUrl: string;
  /** Of every request: the key belongs here. Default: none. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The vendor's limits. Requests wait for them, and a pacer of this client's own keeps them. Default: none. */
  readonly pacing?: PacingProfile<HistoryRange> | undefined;
  /** What keeps the limits, where others ask the vendor too: it is used in place of `pacing`. Default: one of this client's own. */
  readonly pacer?: SharedPacer<HistoryRange> | undefined;
  /** What must not appear in an error. */
  readonly secrets?: readonly string[];
  /** How often a request is made that fails for a reason which may pass. Integer of at least 1, default 5. */
  readonly maxAttempts?: number;
  /** How long an answer may take, in milliseconds. At least 1, default 30,000. */
  readonly timeoutMs?: number;
  /** The largest answer that is read, in bytes. Integer of at least 1, default 64 MiB. */
  readonly maxBytes?: number;
  /** How long everybody waits after too many requests, where the vendor does not say, in milliseconds. Default 60,000. */
  readonly cooldownMs?: number;
  /**
   * How long all requests wait after an answer with these headers, in milliseconds; 0 for not at all. For vendors that say how much of
   * their limit is used, by whoever shares the address. Default: not at all.
   */
  readonly cooldownAfter?: (headers: Headers) => number;
  /** Parses the text of an answer. Default `JSON.parse`. */
  readonly parse?: (text: string) => unknown;
  /** What an answer means that is not 2xx, where the vendor says more than its status. Default: what HTTP says. */
  readonly errorOf?: (answer: RefusedAnswer) => ProviderError | undefined;
  /** A number from 0, below 1. Default: from a generator seeded by the clock. */
  readonly random?: () => number;
  /** The clock and timers. Default: those of `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
}

/** An answer that is not 2xx. */
export interface RefusedAnswer {
  readonly status: number;
  readonly body: string;
}

/** The query of a request, by the names of its parameters. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** A request to the REST interface of a vendor. */
export interface RestRequest {
  /** A path below `baseUrl`, or an address that begins with it, as vendors give for the next page. */
  readonly path: string;
  /** What is `undefined` is left out. */
  readonly query?: Query | undefined;
}

/** After too many requests, whatever the vendor says: `Retry-After` may be 0, or a date by a clock that is behind ours. */
const MIN_COOLDOWN_MS = 1_000;

const HEADERS = checked('an object of strings', (value): value is object => {
  return typeof value === 'object' && value !== null && Object.values(value).every((one) => typeof one === 'string');
});

const OPTIONS = {
  name: text().required(),
  baseUrl: text().required(),
  headers: HEADERS,
  pacing: unchecked(),
  pacer: having('turn', 'coolDown'),
  secrets: listOf(text()).default([]),
  maxAttempts: integer({ min: 1 }).default(5),
  timeoutMs: duration({ min: 1 }).default(30_000),
  maxBytes: integer({ min: 1 }).default(64 * 1024 * 1024),
  cooldownMs: duration().default(60_000),
  cooldownAfter: func(),
  parse: func().default(JSON.parse),
  errorOf: func(),
  random: func(),
  scheduler: having('now', 'schedule').default(eventLoopScheduler),
} satisfies OptionsOf<RestClientConfig>;

/**
 * Asks a vendor over HTTP. A request waits for the pacer, in its order; after a 429 or 418 that is in its cooldown, for as long as
 * the longest answer says, and everybody waits who shares it. Failures that may pass (the network, 5xx, no answer in time,
 * 429) are tried again; others throw: 401 `BadCredentials`, 403 `NotEntitled`, what was asked `UnknownInstrument`. Redirects
 * are not followed, because the key would go along.
 */
export class RestClient {
  readonly #options: Read<RestClientConfig, typeof OPTIONS>;
  readonly #base: URL;
  readonly #pacer: SharedPacer<HistoryRange>;
  readonly #random: () => number;

  constructor(config: RestClientConfig) {
    const owner = 'RestClient';
    const options = readOptions(owner, config, OPTIONS);
    const { name, baseUrl, scheduler, random } = options;
    const base = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
    if (!base || !/^https?:$/.test(base.protocol)) {
      reject(owner, 'baseUrl', 'an http:// or https:// address', maskSecrets(baseUrl, options.secrets));
    }
    this.#options = options;
    this.#base = base;
    this.#pacer =
      config.pacer ?? new SharedPacer({ profile: config.pacing, scheduler, name: `${name}: pacing.requests` });
    const generator = Xoshiro128.fromSeed(Math.floor(scheduler.now()));
    this.#random = random ?? (() => generator.unit());
  }

  /** The provider. */
  get name(): string {
    return this.#options.name;
  }

  /** What must not appear in an error. */
  get secrets(): readonly string[] {
    return this.#options.secrets;
  }

  /** The whole address of a request. Throws `ConnectionLost` if it is none, or leads to another origin. */
  addressOf({ path, query = {} }: RestRequest): URL {
    const { name, secrets } = this.#options;
    const isWhole = /^[a-z][a-z\d+.-]*:/i.test(path);
    const base = this.#base;
    if (isWhole && !URL.canParse(path)) throw new ConnectionLost(name, 'the address of a page is not valid');
    const url = isWhole ? new URL(path) : new URL(base.pathname.replace(/\/$/, '') + path, base);
    if (url.origin !== base.origin) {
      throw new ConnectionLost(
        name,
        `refusing to ask ${maskSecrets(url.origin, secrets)}: only ${base.origin} is configured`,
      );
    }
    for (const [key, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(key, String(value));
    return url;
  }

  /** Asks, and parses the answer. `range` is what the pacing weighs; `signal` ends the wait as well as the request. */
  async json(request: RestRequest, range: HistoryRange, signal: AbortSignal): Promise<unknown> {
    const { maxAttempts } = this.#options;
    const url = this.addressOf(request);
    const backoff = new Backoff({ initialMs: 500, maxMs: 30_000, random: this.#random });
    for (let attempt = 1; ; attempt += 1) {
      // Setting up a connection takes time: what was sent first may arrive late, and the vendor counts when it does.
      const turn = await this.#pacer.turn(range, { signal, countsFrom: 'end' });
      try {
        return await this.#ask(url, signal);
      } catch (error) {
        if (signal.aborted) throw error;
        const masked = withoutSecrets(error, this.secrets);
        if (!isProviderError(error) || !error.retryable || error instanceof AnswerTooLarge) throw masked;
        // Its cooldown begins before the turn is over, so that nobody passes in between.
        const delayMs = this.#delayAfter(error, backoff);
        turn.end();
        if (attempt >= maxAttempts) throw masked;
        if (delayMs > 0) await waitFor(delayMs, this.#options.scheduler, signal);
      } finally {
        turn.end();
      }
    }
  }

  #delayAfter({ code, retryAfterMs = 0 }: ProviderError, backoff: Backoff): number {
    if (code !== 'SLUICE_PACING_VIOLATION') return Math.max(backoff.nextMs(), retryAfterMs);
    // It holds for everybody who asks the vendor, so it is waited for in the turn.
    this.#pacer.coolDown(Math.max(retryAfterMs, MIN_COOLDOWN_MS, backoff.nextMs()));
    return 0;
  }

  async #ask(url: URL, signal: AbortSignal): Promise<unknown> {
    const { name, parse, secrets, headers = {} } = this.#options;
    const onHeaders = (received: Headers) => this.#pacer.coolDown(this.#options.cooldownAfter?.(received) ?? 0);
    const answer = await fetchText(url, { ...this.#options, headers, signal, onHeaders });
    try {
      return parse(answer);
    } catch {
      // Not with the error as its cause: that quotes a part of the answer, which may be a part of a secret.
      const words = maskedStart(answer, 80, secrets);
      throw new ConnectionLost(name, `GET ${url.pathname} was answered with what is not JSON: ${words}`, {
        cause: words,
      });
    }
  }
}
