import type pg from 'pg';
import { connectionStringProblem } from '../../primitives/connectionString.js';
import { redactText } from '../../primitives/redact.js';
import { StoreError } from '../storeError.js';

/**
 * The connection string as the driver is given it. To this driver `prefer`, `require` and `verify-ca` mean `verify-full`, which
 * it says at length on standard error; a string that asks for the meanings of libpq is left as it is.
 */
export function driverUrl(databaseUrl: string): string {
  const problem = connectionStringProblem(databaseUrl);
  if (problem !== undefined) throw new StoreError('SLUICE_STORE_URL', `DATABASE_URL ${problem}`);
  if (/[?&]uselibpqcompat=true(?:[&#]|$)/.test(databaseUrl)) return databaseUrl;
  return databaseUrl.replace(/([?&]sslmode=)(?:prefer|require|verify-ca)(?=[&#]|$)/g, '$1verify-full');
}

/**
 * A client that is never connected: the driver reads the connection string here, the environment, and the certificates that
 * either names. The string is neither quoted nor kept as a cause, because it may hold a password.
 */
export function exampleClient(Client: typeof pg.Client, settings: pg.ClientConfig): pg.Client {
  const refuse = (what: string) => new StoreError('SLUICE_STORE_URL', `DATABASE_URL ${what}`);
  let client: pg.Client;
  try {
    client = new Client(settings);
  } catch (error) {
    const { code, path, message } = Object(error) as { code?: unknown; path?: unknown; message?: unknown };
    if (typeof path === 'string') {
      throw refuse(`names a file that cannot be read, ${path} (${code}): correct sslrootcert, sslcert or sslkey in it`);
    }
    throw refuse(`cannot be used: ${redactText(String(message))}`);
  }
  if (client.host.includes(',')) throw refuse('leaves the host to PGHOST, which names several: name one');
  return client;
}
