import pg from 'pg';

/** Tracks the connections of a pool, from the first packet to the last, so that they can be cut. */
export class OpenClients {
  /** The class that the pool instantiates. */
  readonly Client: new (
    config?: pg.ClientConfig,
  ) => pg.Client;
  readonly #open = new Set<pg.Client>();

  /** `connectTimeoutMs` bounds connect and login. As an option of the pool it would bound the wait for a free client too. */
  constructor(connectTimeoutMs: number) {
    const open = this.#open;
    this.Client = class extends pg.Client {
      constructor(config: pg.ClientConfig = {}) {
        super({ ...config, connectionTimeoutMillis: connectTimeoutMs });
        // A borrower may not listen, and an error event without a listener ends the process.
        this.on('error', () => {});
        open.add(this);
        this.once('end', () => open.delete(this));
      }
    };
  }

  /** Resolves when all are closed. */
  async empty(): Promise<void> {
    await Promise.all(Array.from(this.#open, (client) => new Promise((resolve) => client.once('end', resolve))));
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
