import { once } from 'node:events';
import { WebSocket } from 'ws';

/** A client of a fake venue that knows no vendor: what it sends is written by hand, and what it gets is parsed. */
export class RawClient {
  readonly messages: unknown[] = [];
  /** The close code and reason, once it is closed. */
  closed: readonly [number, string] | undefined;
  readonly #socket: WebSocket;
  readonly #waiters = new Set<() => void>();

  private constructor(url: string, autoPong: boolean) {
    this.#socket = new WebSocket(url, { autoPong });
    this.#socket.on('message', (data: Buffer) => {
      this.messages.push(JSON.parse(data.toString()));
      this.#wake();
    });
    this.#socket.on('close', (code, reason) => {
      this.closed = [code, reason.toString()];
      this.#wake();
    });
    this.#socket.on('error', () => undefined);
  }

  static async connect(url: string, { autoPong = true } = {}): Promise<RawClient> {
    const client = new RawClient(url, autoPong);
    await once(client.#socket, 'open');
    return client;
  }

  send(message: unknown): void {
    this.#socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  ping(): void {
    this.#socket.ping();
  }

  /** Resolves with the first message that is so, and forgets it and all before it. */
  async next(isSo: (message: never) => boolean = () => true): Promise<unknown> {
    for (;;) {
      const at = this.messages.findIndex((message) => isSo(message as never));
      if (at >= 0) return this.messages.splice(0, at + 1).at(-1);
      await this.#change();
    }
  }

  async untilClosed(): Promise<readonly [number, string]> {
    while (!this.closed) await this.#change();
    return this.closed;
  }

  close(): void {
    this.#socket.terminate();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiters.add(resolve));
  }

  #wake(): void {
    const all = [...this.#waiters];
    this.#waiters.clear();
    for (const wake of all) wake();
  }
}
