import type pg from 'pg';
import { from, Observable } from 'rxjs';
import { within } from '../../primitives/within.js';
import { destroyClient, FAREWELL_MS } from './openClients.js';

/**
 * One statement on a connection of its own, which no pool lends and nobody waits for: it is closed when the rows are there, and
 * cut when the result is unsubscribed or after `timeoutMs`.
 */
export function askAlone<R extends object>(
  make: () => pg.Client,
  { text, values }: { readonly text: string; readonly values?: unknown[] },
  timeoutMs: number,
): Observable<readonly R[]> {
  return new Observable((subscriber) => {
    const client = make();
    client.on('error', () => {});
    let isAnswered = false;
    const ask = async (): Promise<readonly R[]> => {
      await client.connect();
      const { rows } = await client.query<R>(text, values);
      isAnswered = true;
      return rows;
    };
    const work = within(timeoutMs, ask(), () => {
      throw new Error('Query read timeout');
    });
    const subscription = from(work).subscribe(subscriber);
    return () => {
      subscription.unsubscribe();
      if (!isAnswered) destroyClient(client);
      // Politely where the server listens, because it logs a connection that is only cut.
      else within(FAREWELL_MS, client.end()).then(() => destroyClient(client));
    };
  });
}
