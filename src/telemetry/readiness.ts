import { redactText } from '../primitives/redact.js';
import { within } from '../primitives/within.js';
import type { ReadinessBlockers } from './pipelineTelemetry.js';

/** Whether a program can take work, and if not, why not. */
export interface ReadinessReport {
  readonly ready: boolean;
  readonly checks: readonly ReadinessCheck[];
}

export interface ReadinessCheck {
  readonly name: 'sink' | 'draining' | 'breaker' | 'deadLetters';
  readonly ok: boolean;
  /** Why it is not ok. Never holds a secret. */
  readonly reason?: string;
}

/** Checks whether the sink can be reached. The signal is aborted when the answer is late. */
export type SinkCheck = (signal: AbortSignal) => PromiseLike<unknown> | unknown;

export interface ReadinessConfig {
  readonly check: SinkCheck | undefined;
  readonly timeoutMs: number;
  readonly cacheMs: number;
  readonly now: () => number;
}

/** The longest reason, in characters, because it comes from errors of others. */
const MAX_LENGTH = 200;

/** Checks the sink once for all who ask, and again only when the answer is old. */
export class Readiness {
  readonly #config: ReadinessConfig;
  #answer: { readonly at: number; readonly check: ReadinessCheck } | undefined;
  #asking: Promise<ReadinessCheck> | undefined;

  constructor(config: ReadinessConfig) {
    this.#config = config;
  }

  async report(blockers: ReadinessBlockers): Promise<ReadinessReport> {
    const { draining, open, holding } = blockers;
    const checks: ReadinessCheck[] = [
      await this.#sink(),
      checkOf('draining', draining ? 'the program is draining' : undefined),
      checkOf('breaker', open.length > 0 ? `open: ${open.join(', ')}` : undefined),
      checkOf('deadLetters', holding.length > 0 ? `cannot be stored: ${holding.join(', ')}` : undefined),
    ];
    return { ready: checks.every(({ ok }) => ok), checks };
  }

  async #sink(): Promise<ReadinessCheck> {
    const { check, cacheMs, now } = this.#config;
    if (!check) return checkOf('sink', undefined);
    const answer = this.#answer;
    // An answer is also old after the clock was set back.
    if (answer && Math.abs(now() - answer.at) < cacheMs) return answer.check;
    this.#asking ??= this.#ask(check).finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #ask(check: SinkCheck): Promise<ReadinessCheck> {
    const { timeoutMs, now } = this.#config;
    const abort = new AbortController();
    let answer: ReadinessCheck;
    try {
      await within(timeoutMs, Promise.resolve(check(abort.signal)), () => {
        const late = new Error(`no answer within ${timeoutMs} ms`);
        abort.abort(late);
        throw late;
      });
      answer = checkOf('sink', undefined);
    } catch (error) {
      answer = checkOf('sink', reasonOf(error));
    }
    this.#answer = { at: now(), check: answer };
    return answer;
  }
}

function checkOf(name: ReadinessCheck['name'], reason: string | undefined): ReadinessCheck {
  return reason === undefined ? { name, ok: true } : { name, ok: false, reason };
}

function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return redactText(text).slice(0, MAX_LENGTH);
}
