import type { ClientBase } from 'pg';
import { endsSession } from './toStoreError.js';

/** Runs statements that begin and commit; should one fail, the client is left outside of the transaction. */
export async function inTransaction(client: ClientBase, statements: string): Promise<void> {
  try {
    await client.query(statements);
  } catch (error) {
    if (!endsSession(error)) await client.query('ROLLBACK');
    throw error;
  }
}
