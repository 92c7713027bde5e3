import pg from 'pg';

/** Tracks the connections of a pool, from the first packet to the last, so that they can be cut. */
export class OpenClients {
  /** The class that the pool instantiates. */
  readonly Client: new (
    config?: pg.ClientConfig,
  ) => pg.Client;
  readonly #open = new Set<pg.Client>();
  #onEmpty: (() => void) | undefined;

  /** `connectTimeoutMs` bounds connect and login. As an option of the pool it would bound the wait for a free client too. */
  constructor(connectTimeoutMs: number) {
    const open = this.#open;
    const left = (client: pg.Client) => {
      open.delete(client);
      if (open.size === 0) this.#onEmpty?.();
    };
    this.Client = class extends pg.Client {
      constructor(config: pg.ClientConfig = {}) {
        super({ ...config, connectionTimeoutMillis: connectTimeoutMs });
        // A borrower may not listen, and an error event without a listener ends the process.
        this.on('error', () => {});
        open.add(this);
        this.once('end', () => left(this));
      }
    };
  }

  /** Resolves when all are closed. */
  empty(): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  /** Cuts the connections that are left; statements in flight fail. */
  destroy(): void {
    for (const client of this.#open) destroyClient(client);
  }
}

/** Closes the socket of a client without waiting for the server. */
export function destroyClient(client: pg.Client): void {
  client.connection.stream.destroy();
}
