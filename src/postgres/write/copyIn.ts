import type { ClientBase } from 'pg';
import { from } from 'pg-copy-streams';

/**
 * Runs a `COPY … FROM STDIN` with all of its data, and what stands behind it in the same message, as one transaction.
 * Returns how many rows the last statement touched.
 */
export function copyIn(client: ClientBase, text: string, data: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    let rows = 0;
    // The stream counts the rows of COPY alone; with a statement behind it, that one's are wanted.
    const stream = Object.assign(from(text), {
      handleCommandComplete(message: { readonly text: string }) {
        rows = Number(message.text.slice(message.text.lastIndexOf(' ') + 1));
      },
    });
    stream.once('error', reject);
    // An error that follows the first, when the connection breaks too, has been reported by then.
    stream.on('error', () => {});
    stream.once('finish', () => resolve(rows));
    client.query(stream);
    stream.end(data);
  });
}
