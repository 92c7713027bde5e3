import type { Socket } from 'node:net';
import { LengthPrefixed } from '../../../providers/decode/lengthPrefixed.js';
import type { Message } from './gatewayMessages.js';
import { type ContractRequest, type GatewayRequest, readRequest } from './gatewayRequest.js';
import type { Instrument } from './instruments.js';
import { decodeMessage, encodeMessage, readGreeting } from './wire.js';

/** A subscription of a client. */
export interface Held {
  readonly request: ContractRequest;
  readonly instrument: Instrument;
}

export interface PeerHost {
  /** The client has said which versions it speaks. */
  greeted(peer: GatewayPeer): void;
  asked(peer: GatewayPeer, request: GatewayRequest): void;
  gone(peer: GatewayPeer): void;
  /** How many bytes may wait to be read by the client. */
  readonly maxWaitingBytes: number;
  /** Messages go out in pieces of that many bytes. */
  readonly splitEvery: number;
}

const MAX_REQUEST_BYTES = 1_000_000;

/** One client of the fake gateway. */
export class GatewayPeer {
  readonly held = new Map<number, Held>();
  clientId = -1;
  /** Whether it was told the next order id. */
  isLoggedIn = false;
  /** Whether it is being thrown out. */
  isKicked = false;
  /** Half-open: nothing is sent, and what arrives is ignored. */
  isMute = false;
  readonly #socket: Socket;
  readonly #host: PeerHost;
  readonly #messages = new LengthPrefixed(MAX_REQUEST_BYTES);
  #greeting: Buffer | undefined = Buffer.alloc(0);

  constructor(socket: Socket, host: PeerHost) {
    this.#socket = socket;
    this.#host = host;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#receive(chunk));
    socket.on('error', () => {});
    socket.on('close', () => host.gone(this));
  }

  send(message: Message): void {
    this.sendBytes(encodeMessage(message));
  }

  sendBytes(bytes: Uint8Array): void {
    if (this.isMute || this.#socket.destroyed) return;
    const { splitEvery, maxWaitingBytes } = this.#host;
    if (splitEvery >= bytes.length) this.#socket.write(bytes);
    else for (let at = 0; at < bytes.length; at += splitEvery) this.#socket.write(bytes.subarray(at, at + splitEvery));
    if (this.#socket.writableLength > maxWaitingBytes) this.reset();
  }

  /** Closes it after what was sent. */
  end(): void {
    this.#socket.end();
  }

  /** Breaks it with a reset. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  #receive(chunk: Buffer): void {
    if (this.isMute) return;
    try {
      const bytes = this.#greeting ? this.#greet(Buffer.concat([this.#greeting, chunk])) : chunk;
      if (!bytes) return;
      for (const message of this.#messages.push(bytes)) {
        this.#host.asked(this, readRequest(decodeMessage(message)));
      }
    } catch {
      // As TWS does with what it cannot read.
      this.reset();
    }
  }

  #greet(bytes: Buffer): Buffer | undefined {
    this.#greeting = bytes;
    const greeting = readGreeting(bytes);
    if (!greeting) return undefined;
    this.#greeting = undefined;
    this.#host.greeted(this);
    return greeting.rest;
  }
}
