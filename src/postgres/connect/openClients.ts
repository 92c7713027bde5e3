import type pg from 'pg';
import { cancelStatement } from './cancelStatement.js';
import { endWhereGarbled } from './garbledStream.js';
import type { Login } from './login.js';

export interface OpenClientsConfig {
  /** The driver's own class. */
  readonly Client: typeof pg.Client;
  /** Bounds connect and login. As an option of the pool it would bound the wait for a free client too. */
  readonly connectTimeoutMs: number;
  readonly login: Login;
}

/** How long a server has to answer a farewell, in milliseconds: a connection that was lost silently is never answered. */
export const FAREWELL_MS = 1_000;

type Connected = (error: Error | undefined) => void;

/** Tracks the connections of a store, from the first packet to the last, so that they can be cut. */
export class OpenClients {
  /** The class that the pool instantiates. */
  readonly Client: new (
    config?: pg.ClientConfig,
  ) => pg.Client;
  readonly #open = new Set<pg.Client>();

  constructor({ Client, connectTimeoutMs, login }: OpenClientsConfig) {
    const open = this.#open;
    this.Client = class extends Client {
      constructor(config: pg.ClientConfig = {}) {
        super({ ...config, connectionTimeoutMillis: connectTimeoutMs });
        // A borrower may not listen, and an error event without a listener ends the process.
        this.on('error', () => {});
        endWhereGarbled(this);
        open.add(this);
        this.once('end', () => open.delete(this));
        login.givePassword(this);
      }

      override connect(): Promise<pg.Client>;
      override connect(connected: Connected): void;
      override connect(connected?: Connected): Promise<pg.Client> | undefined {
        const attempt = this.#attempt();
        if (!connected) return attempt;
        attempt.then(() => connected(undefined), connected);
        return undefined;
      }

      async #attempt(): Promise<pg.Client> {
        try {
          await super.connect();
        } catch (error) {
          // The pool forgets it, and the server would keep it for a minute.
          destroyClient(this);
          open.delete(this);
          throw login.refused(error, this);
        }
        login.accepted();
        return this;
      }

      override end(): Promise<void>;
      override end(ended: (error: Error) => void): void;
      override end(ended?: (error: Error) => void): Promise<void> | undefined {
        const cut = setTimeout(() => destroyClient(this), FAREWELL_MS);
        const done = () => clearTimeout(cut);
        this.once('end', done);
        if (ended) {
          super.end((error) => {
            done();
            ended(error);
          });
          return undefined;
        }
        return super.end().finally(done);
      }
    };
  }

  /** Resolves when all are closed. */
  async empty(): Promise<void> {
    await Promise.all(Array.from(this.#open, (client) => new Promise((resolve) => client.once('end', resolve))));
  }

  /** Cuts the connections that are left; statements in flight fail, at the server too if it can be reached. */
  async destroy(): Promise<void> {
    const left = [...this.#open];
    await Promise.all(left.map(cancelStatement));
    for (const client of left) destroyClient(client);
  }
}

/** Closes the socket of a client without waiting for the server. */
export function destroyClient(client: pg.Client): void {
  client.connection.stream.destroy();
}
