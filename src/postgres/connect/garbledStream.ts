import type { Duplex } from 'node:stream';
import type pg from 'pg';
import { messageOf } from '../../primitives/messageOf.js';
import { StoreError } from '../storeError.js';

type Listener = (...args: readonly unknown[]) => void;

/** What the driver has and its types lack. */
interface DriverConnection {
  attachListeners(stream: Pick<Duplex, 'on'>): void;
  emit(event: string, ...args: readonly unknown[]): boolean;
}

/**
 * Ends a connection whose messages cannot be read. A pooler that loses its server within a message puts its own error into the
 * middle of it (PgBouncer: `server conn crashed?`). The driver then throws in the handler of the socket, where nobody catches it,
 * and the process would end.
 */
export function endWhereGarbled(client: pg.Client): void {
  const connection = client.connection as unknown as DriverConnection;
  const { attachListeners, emit } = connection;
  /** What is thrown now comes from the parser rather than from who receives its messages. */
  let isParsing = false;
  connection.emit = (...message) => {
    isParsing = false;
    const wasHeard = emit.apply(connection, message);
    isParsing = true;
    return wasHeard;
  };
  connection.attachListeners = (stream) => {
    const socket = stream as Duplex;
    const guarded = (parse: Listener): Listener => {
      return (chunk) => {
        // What follows a message that cannot be read is none either.
        if (socket.destroyed) return;
        isParsing = true;
        try {
          parse(chunk);
        } catch (cause) {
          if (!isParsing) throw cause;
          const message = `the connection to Postgres carries what is no message (${messageOf(cause)}): its server or pooler has failed within one`;
          socket.destroy(new StoreError('SLUICE_STORE_CONNECTION_LOST', message, { failureClass: 'transient', cause }));
        }
      };
    };
    const on = (event: string, listener: Listener) => socket.on(event, event === 'data' ? guarded(listener) : listener);
    attachListeners.call(connection, { on } as Pick<Duplex, 'on'>);
  };
}
