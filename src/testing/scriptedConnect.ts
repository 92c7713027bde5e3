import type { Connect, ConnectionEvents } from '../providers/provider.js';
import type { Frame } from '../providers/session.js';

/** The vendor's end of a connection that a test plays by hand. */
export interface ScriptedConnection {
  /** What the stream has sent, in order. */
  readonly sent: readonly Frame[];
  readonly pings: number;
  /** Whether the stream has closed it. */
  readonly isClosed: boolean;
  /** The connection is open. */
  open(): void;
  /** The vendor sends a frame. */
  receive(frame: Frame): void;
  /** A sign of life that is no frame. */
  pong(): void;
  /** The connection breaks. */
  lose(error?: unknown): void;
}

/** A transport without a socket, which a test plays by hand. */
export interface ScriptedConnect {
  /** For the parts of a provider, or the `wrapConnect` of its config. */
  readonly connect: Connect;
  /** Every connection until now. */
  readonly connections: readonly ScriptedConnection[];
  /** The last one. Throws a `RangeError` before the first. */
  readonly last: ScriptedConnection;
}

/**
 * A transport without a socket: a test opens each connection, sends its frames and breaks it. Nothing is told to a stream that has
 * closed its connection.
 *
 * @example
 * ```ts
 * import { defineProvider, type ProviderParts } from 'sluice/providers';
 * import { scriptedConnect } from 'sluice/testing';
 *
 * declare const parts: ProviderParts;
 * const vendor = scriptedConnect();
 * const provider = defineProvider({ ...parts, connect: vendor.connect });
 * provider.stream({ kinds: ['trade'], symbols: ['AAPL'] }).subscribe((record) => console.log(record));
 * vendor.last.open();
 * vendor.last.receive('[{"ev":"status","status":"connected"}]');
 * ```
 */
export function scriptedConnect(): ScriptedConnect {
  const connections: Script[] = [];
  return {
    connect(events) {
      const script = new Script(events);
      connections.push(script);
      return {
        send: (frame) => script.sent.push(frame),
        close: () => {
          script.isClosed = true;
        },
        ping: () => {
          script.pings += 1;
        },
      };
    },
    connections,
    get last() {
      const last = connections.at(-1);
      if (!last) throw new RangeError('scriptedConnect: nobody has connected yet');
      return last;
    },
  };
}

class Script implements ScriptedConnection {
  readonly sent: Frame[] = [];
  pings = 0;
  isClosed = false;
  readonly #events: ConnectionEvents;

  constructor(events: ConnectionEvents) {
    this.#events = events;
  }

  open(): void {
    if (!this.isClosed) this.#events.opened();
  }

  receive(frame: Frame): void {
    if (!this.isClosed) this.#events.frame(frame);
  }

  pong(): void {
    if (!this.isClosed) this.#events.alive();
  }

  lose(error?: unknown): void {
    if (!this.isClosed) this.#events.closed(error);
  }
}
