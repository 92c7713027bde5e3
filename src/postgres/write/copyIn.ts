import type { ClientBase } from 'pg';
import { from } from 'pg-copy-streams';
import type { Queryable } from '../pool.js';

/**
 * Runs a `COPY … FROM STDIN` with all of its data, and any statements after it in the same message, as one transaction.
 * Returns the number of rows that the last statement touched.
 */
export function copyIn(client: Queryable, text: string, data: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    let rows = 0;
    // The stream counts only the rows of COPY; if a statement follows, its rows count instead.
    const stream = Object.assign(from(text), {
      handleCommandComplete(message: { readonly text: string }) {
        rows = Number(message.text.slice(message.text.lastIndexOf(' ') + 1));
      },
    });
    stream.once('error', reject);
    // A later error, such as the connection breaking too, adds nothing to the first.
    stream.on('error', () => {});
    stream.once('finish', () => resolve(rows));
    (client as ClientBase).query(stream);
    stream.end(data);
  });
}
