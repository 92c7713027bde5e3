import type { EventEmitter } from 'node:events';

/** The part of a driver's client that a cancel request needs; none of it is there where the client is another's. */
interface Session {
  readonly processID?: number | null;
  readonly secretKey?: number | null;
  readonly host?: string;
  readonly port?: number;
  readonly ssl?: unknown;
  readonly sslNegotiation?: string;
  readonly connection?: { readonly constructor: unknown };
}

/** A connection of the driver, as far as it is used. */
interface Wire extends EventEmitter {
  readonly stream: { destroy(): void };
  connect(port: number | string, host?: string): void;
  requestSsl(): void;
  cancel(processID: number, secretKey: number): void;
}

/** How long the request may take, in milliseconds: a server that cannot be reached cancels nothing. */
const CANCEL_MS = 1_000;

/**
 * Asks the server to cancel what a session runs, by a connection of its own, as `PQcancel` does. To close the socket is not
 * enough: a statement that waits for a lock notices only when it has the lock, and then commits. Resolves once the server has
 * passed the request on, or after a second. Undefined if the client is no connection to a server.
 *
 * The session must not be used again: the request may arrive after the statement has ended, and would hit the next.
 */
export function cancelStatement(client: object): Promise<void> | undefined {
  const { processID, secretKey, host, port, ssl, sslNegotiation, connection } = client as Session;
  if (!processID || typeof secretKey !== 'number' || host === undefined || port === undefined) return undefined;
  // The driver is optional, and the client may be of another copy of it than ours.
  const Connection = connection?.constructor as (new (config: object) => Wire) | undefined;
  if (!Connection) return undefined;
  const wire = new Connection({ ssl, sslNegotiation });
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      wire.stream.destroy();
      resolve();
    };
    const timer = setTimeout(end, CANCEL_MS);
    const ask = () => wire.cancel(processID, secretKey);
    wire.on('connect', () => {
      if (!ssl) ask();
      else if (sslNegotiation !== 'direct') wire.requestSsl();
    });
    wire.on('sslconnect', ask);
    wire.on('error', end);
    // The server answers by closing.
    wire.on('end', end);
    if (host.startsWith('/')) wire.connect(`${host}/.s.PGSQL.${port}`);
    else wire.connect(port, host);
  });
}
