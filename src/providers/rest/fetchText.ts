import type { SchedulerLike } from 'rxjs';
import { socketFailure } from '../../failures/errno.js';
import { messageOf } from '../../primitives/messageOf.js';
import { Timer } from '../../primitives/timer.js';
import { httpFailure } from '../httpFailure.js';
import { ConnectionLost, type ProviderError } from '../providerErrors.js';
import { maskElement, maskSecrets } from '../stream/streamErrors.js';

export interface FetchTextConfig {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly cooldownMs: number;
  readonly scheduler: SchedulerLike;
  readonly errorOf:
    | ((answer: { readonly status: number; readonly body: string }) => ProviderError | undefined)
    | undefined;
  readonly signal: AbortSignal;
  /** Called with the headers of each answer. */
  readonly onHeaders: (headers: Headers) => void;
}

/** The answer is too large: asking again would not make it smaller. */
export class AnswerTooLarge extends ConnectionLost {}

/** The body of a 2xx answer to a GET. Everything else is a `ProviderError`; an abort of `signal` throws its reason. */
export async function fetchText(url: URL, config: FetchTextConfig): Promise<string> {
  const { name, headers, secrets, timeoutMs, cooldownMs, scheduler, signal, errorOf, onHeaders } = config;
  const what = `GET ${url.pathname}`;
  const abort = new AbortController();
  const forward = () => abort.abort(signal.reason);
  signal.addEventListener('abort', forward, { once: true });
  let isLate = false;
  const timer = new Timer(scheduler, () => {
    isLate = true;
    abort.abort();
  });
  timer.set(timeoutMs);
  try {
    signal.throwIfAborted();
    const response = await fetch(url, { headers, redirect: 'manual', signal: abort.signal });
    onHeaders(response.headers);
    const body = await readBody(response, what, config);
    if (response.ok) return body;
    const { status, statusText } = response;
    const said = maskElement(body, secrets) as string;
    const retryAfter = response.headers.get('retry-after');
    throw (
      errorOf?.({ status, body: said }) ??
      httpFailure(
        { status, statusText, retryAfter, body: said },
        { name, what, now: scheduler.now(), cooldownMs, secrets },
      )
    );
  } catch (error) {
    signal.throwIfAborted();
    if (isLate) throw new ConnectionLost(name, `${what} was not answered within ${timeoutMs} ms`);
    if (error instanceof TypeError) throw networkFailure(name, url, error, secrets);
    throw error;
  } finally {
    timer.cancel();
    signal.removeEventListener('abort', forward);
  }
}

async function readBody(response: Response, what: string, { name, maxBytes }: FetchTextConfig): Promise<string> {
  const reader = response.body?.getReader();
  if (!reader) return '';
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    size += part.value.byteLength;
    if (size > maxBytes) {
      await reader.cancel();
      throw new AnswerTooLarge(name, `the answer to ${what} is larger than maxBytes, ${maxBytes} bytes`);
    }
    chunks.push(part.value);
  }
  return Buffer.concat(chunks).toString();
}

/** `fetch` hides what went wrong in the cause of a `TypeError`. */
function networkFailure(name: string, url: URL, error: TypeError, secrets: readonly string[]): ProviderError {
  const cause = error.cause ?? error;
  const reason = socketFailure(cause) ?? maskSecrets(messageOf(cause), secrets);
  return new ConnectionLost(name, `could not ask ${url.host}: ${reason}`, { cause });
}
