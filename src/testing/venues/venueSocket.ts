import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Frame } from '../../providers/session.js';

/** What a connection needs of a WebSocket, so that its types need no package. */
export interface ServerSocket {
  readonly readyState: number;
  readonly OPEN: number;
  readonly bufferedAmount: number;
  send(frame: Frame): void;
  ping(payload: string): void;
  close(code: number, reason: string): void;
  terminate(): void;
}

/** A connection to a fake venue, as the server sees it. */
export class VenueSocket {
  /** The path and query that the client asked for. */
  readonly path: string;
  /** The headers of the handshake. */
  readonly headers: IncomingHttpHeaders;
  readonly acceptedAt: number;
  /** What the client is subscribed to, as the vendor names it. */
  readonly subscriptions = new Set<string>();
  isLoggedIn = false;
  /** Whether the server has ended it. */
  isEnded = false;
  /** Half-open: nothing is sent, and what arrives is ignored. */
  isMute: boolean;
  readonly #socket: ServerSocket;
  readonly #tcp: Socket;

  constructor(socket: ServerSocket, tcp: Socket, request: IncomingMessage, acceptedAt: number, isMute: boolean) {
    const { url = '/', headers } = request;
    this.#socket = socket;
    this.#tcp = tcp;
    this.path = url;
    this.headers = headers;
    this.isMute = isMute;
    this.acceptedAt = acceptedAt;
  }

  /** How many bytes wait to be read by the client. */
  get waitingBytes(): number {
    return this.#socket.bufferedAmount;
  }

  send(frame: Frame): void {
    if (!this.isMute && this.#socket.readyState === this.#socket.OPEN) this.#socket.send(frame);
  }

  ping(payload: string): void {
    if (!this.isMute && this.#socket.readyState === this.#socket.OPEN) this.#socket.ping(payload);
  }

  /** Ends it with a close frame. */
  close(code: number, reason: string): void {
    this.isEnded = true;
    if (!this.isMute) this.#socket.close(code, reason);
  }

  /** Ends it without a close frame. */
  terminate(): void {
    this.isEnded = true;
    this.#socket.terminate();
  }

  /** Ends TCP without a close frame, once everything that was sent has left. */
  drop(): void {
    this.isEnded = true;
    this.#tcp.end();
  }

  /** Breaks it with a TCP reset. */
  reset(): void {
    this.isEnded = true;
    this.#tcp.resetAndDestroy();
  }
}
