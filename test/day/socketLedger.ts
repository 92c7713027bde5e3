import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

/** Node tells of each socket of the process, on both sides of a connection. */
const CHANNELS = ['net.client.socket', 'net.server.socket'] as const;

/**
 * The connections within this process: whether all that one side has written was read by the other. Sockets to other processes, such
 * as Postgres, are left out by `isOurs`.
 */
export class SocketLedger {
  readonly #sockets = new Set<Socket>();
  readonly #isOurs: (port: number) => boolean;
  /** Bytes of connections that are closed, and how many opened and closed: changes with whatever happens. */
  #past = 0;

  /** `isOurs` says whether a port is that of a server in this process. */
  constructor(isOurs: (port: number) => boolean) {
    this.#isOurs = isOurs;
    for (const channel of CHANNELS) subscribe(channel, this.#onSocket);
  }

  /** A number that differs whenever something has passed over a socket. */
  get activity(): number {
    let sum = this.#past;
    for (const { bytesRead, bytesWritten } of this.#sockets) sum += bytesRead + bytesWritten;
    return sum;
  }

  /** What is under way, in words; `undefined` if nothing is. */
  get underWay(): string | undefined {
    const byPorts = new Map<string, Socket>();
    for (const socket of this.#sockets) byPorts.set(`${socket.localPort}:${socket.remotePort}`, socket);
    for (const socket of this.#sockets) {
      if (socket.connecting) return 'a socket connects';
      const { localPort = 0, remotePort = 0 } = socket;
      if (!this.#isOurs(localPort) && !this.#isOurs(remotePort)) continue;
      const other = byPorts.get(`${remotePort}:${localPort}`);
      if (!other) return `the other end of ${localPort}:${remotePort} is gone`;
      if (socket.bytesWritten !== other.bytesRead) {
        return `${localPort}:${remotePort} has written ${socket.bytesWritten}, and ${other.bytesRead} are read`;
      }
    }
    return undefined;
  }

  /** Breaks all connections to a port. */
  destroy(port: number): void {
    for (const socket of this.#sockets) if (socket.remotePort === port) socket.destroy();
  }

  close(): void {
    for (const channel of CHANNELS) unsubscribe(channel, this.#onSocket);
  }

  readonly #onSocket = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket };
    this.#past += 1;
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#past += 1 + socket.bytesRead + socket.bytesWritten;
    });
  };
}
