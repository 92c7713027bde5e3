import { printable } from '../primitives/printable.js';
import { redactText } from '../primitives/redact.js';
import { within } from '../primitives/within.js';
import type { FeedStatus, ReadinessBlockers } from './pipelineTelemetry.js';

/** Whether a program can take work, and if not, why not. */
export interface ReadinessReport {
  readonly ready: boolean;
  readonly checks: readonly ReadinessCheck[];
  /** How the providers are doing. One that is down makes no program unready: what it has received is still written. */
  readonly feeds: readonly FeedStatus[];
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
  readonly sinkCheck: SinkCheck | undefined;
  readonly sinkCheckTimeoutMs: number;
  readonly sinkCheckCacheMs: number;
  readonly now: () => number;
}

/** The longest reason, in characters, because it comes from errors of others. */
const MAX_LENGTH = 200;

/** Checks the sink once for all who ask, and again only when the answer is old. */
export function readinessOf({ sinkCheck, sinkCheckTimeoutMs, sinkCheckCacheMs, now }: ReadinessConfig) {
  let last: { readonly check: Promise<ReadinessCheck>; answeredAt?: number } | undefined;

  const ask = async (check: SinkCheck): Promise<ReadinessCheck> => {
    const abort = new AbortController();
    try {
      await within(sinkCheckTimeoutMs, Promise.resolve(check(abort.signal)), () => {
        const late = new Error(`no answer within ${sinkCheckTimeoutMs} ms`);
        abort.abort(late);
        throw late;
      });
      return checkOf('sink');
    } catch (error) {
      return checkOf('sink', reasonOf(error));
    }
  };

  const checkSink = async (): Promise<ReadinessCheck> => {
    if (!sinkCheck) return checkOf('sink');
    // An answer is also old after the clock was set back.
    const at = last?.answeredAt;
    if (!last || (at !== undefined && Math.abs(now() - at) >= sinkCheckCacheMs)) {
      const question: typeof last = { check: ask(sinkCheck) };
      last = question;
      question.check.then(() => {
        question.answeredAt = now();
      });
    }
    return last.check;
  };

  return async ({ draining, open, holding, feeds }: ReadinessBlockers): Promise<ReadinessReport> => {
    const checks: ReadinessCheck[] = [
      await checkSink(),
      checkOf('draining', draining ? 'the program is draining' : undefined),
      checkOf('breaker', open.length > 0 ? `open: ${open.join(', ')}` : undefined),
      checkOf('deadLetters', holding.length > 0 ? `cannot be stored: ${holding.join(', ')}` : undefined),
    ];
    return { ready: checks.every(({ ok }) => ok), checks, feeds };
  };
}

function checkOf(name: ReadinessCheck['name'], reason?: string): ReadinessCheck {
  return reason === undefined ? { name, ok: true } : { name, ok: false, reason };
}

function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return printable(redactText(text), MAX_LENGTH);
}
