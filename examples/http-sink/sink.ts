/** A sink that posts bars to an HTTP server. The pipeline writes with it, and so does `sluice dlq replay --sink`. */
import { defer } from 'rxjs';
import { type Bar, type Sink, SinkError } from 'sluice';

export function httpSink(url: string): Sink<Bar> {
  return {
    name: 'http',
    keyOf: (bar) => bar.symbol,
    write: (bars) =>
      defer(async () => {
        // What fetch() itself fails with is transient: its cause has a code of the system, such as ECONNREFUSED.
        const reply = await fetch(url, { method: 'POST', body: JSON.stringify(bars) });
        if (!reply.ok) throw await refusal(reply);
        return { rows: bars.length };
      }),
  };
}

/** What the writer is to do about it: wait as long as the server asks, give up the bars that it names, or stop. */
async function refusal(reply: Response): Promise<SinkError> {
  const { status } = reply;
  const message = `HTTP ${status}: ${reply.statusText}`;
  const cause = { code: `HTTP_${status}` };
  if (status === 400) {
    const { rejected } = (await reply.json()) as { rejected: number[] };
    return new SinkError(message, { failureClass: 'poison', rejected, cause });
  }
  const retryAfterMs = Number(reply.headers.get('retry-after')) * 1_000;
  return new SinkError(message, {
    failureClass: status === 429 || status >= 500 ? 'transient' : 'fatal',
    retryAfterMs,
    cause,
  });
}

/** What `--sink` calls. */
export default (): Sink<Bar> => httpSink(process.env.SINK_URL ?? '');
