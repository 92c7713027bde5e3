import { connect, type Socket } from 'node:net';
import type { Address } from './address.js';
import type { ArmedFault, Direction, FaultSite } from './fault.js';
import { PostgresReplies } from './postgresReplies.js';
import { Pump } from './pump.js';

export interface ConnectionHost {
  readonly target: Address;
  readonly armed: ReadonlySet<ArmedFault>;
  passed(direction: Direction, bytes: number): void;
  closed(connection: ProxiedConnection): void;
}

/** A connection of a client and its counterpart to the server. */
export class ProxiedConnection implements FaultSite {
  readonly id: number;
  readonly bytes: Record<Direction, number> = { toServer: 0, toClient: 0 };
  readonly #host: ConnectionHost;
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #pumps: Readonly<Record<Direction, Pump>>;
  readonly #replies: PostgresReplies;
  readonly #timers = new Map<ArmedFault, NodeJS.Timeout>();
  readonly #closing: Promise<unknown>;

  constructor(id: number, client: Socket, host: ConnectionHost) {
    this.id = id;
    this.#host = host;
    this.#client = client;
    this.#server = connect({ ...host.target, allowHalfOpen: true, noDelay: true });
    client.setNoDelay(true);
    this.#replies = new PostgresReplies(() => this.#commitFaults().length > 0);
    this.#pumps = { toServer: this.#pump('toServer'), toClient: this.#pump('toClient') };
    this.#closing = Promise.all([closed(client), closed(this.#server)]).then(() => {
      this.#stop();
      host.closed(this);
    });
    for (const [socket, other] of [
      [client, this.#server],
      [this.#server, client],
    ] as const) {
      // Each side ends the way the other did.
      socket.on('error', () => end(other, 'resetAndDestroy'));
      socket.on('close', () => {
        if (socket.errored === null) other.end();
      });
    }
  }

  /** Ends both sides as if their peers had closed them. */
  cut(): void {
    this.#stop();
    for (const socket of [this.#client, this.#server]) socket.end(() => socket.destroy());
  }

  /** Ends both sides as a crash or a firewall does. */
  reset(): void {
    this.#stop();
    for (const socket of [this.#client, this.#server]) end(socket, 'resetAndDestroy');
  }

  close(): Promise<unknown> {
    this.#stop();
    for (const socket of [this.#client, this.#server]) end(socket, 'destroy');
    return this.#closing;
  }

  #pump(direction: Direction): Pump {
    const [source, sink] = direction === 'toServer' ? [this.#client, this.#server] : [this.#server, this.#client];
    return new Pump({
      source,
      sink,
      due: () => this.#due(direction),
      strike: (fault, pump) => this.#strike(fault, pump),
      passed: (bytes) => {
        this.bytes[direction] += bytes;
        this.#host.passed(direction, bytes);
      },
      inspect: (chunk) => {
        if (direction === 'toClient') return this.#inspectReplies(chunk);
        this.#replies.fromClient(chunk);
        this.#reportOpaque();
        return [chunk];
      },
      rest: () => (direction === 'toClient' ? this.#replies.rest() : []),
    });
  }

  *#due(direction: Direction): Generator<readonly [ArmedFault, number]> {
    for (const fault of this.#host.armed) yield [fault, fault.leftOn(this, direction)];
  }

  #commitFaults(): ArmedFault[] {
    return [...this.#host.armed].filter((fault) => fault.kind === 'dropCommitReply' && fault.awaits(this));
  }

  #inspectReplies(chunk: Buffer): readonly (Buffer | (() => void))[] {
    const { pass, swallowed } = this.#replies.fromServer(chunk);
    this.#reportOpaque();
    if (!swallowed) return pass;
    return [
      ...pass,
      () => {
        const [due] = this.#commitFaults();
        if (due) this.#strike(due, this.#pumps.toClient);
        // Mended after the reply was removed: the client must not wait for it.
        else this.cut();
      },
    ];
  }

  #reportOpaque(): void {
    if (!this.#replies.isOpaque) return;
    for (const fault of this.#commitFaults()) {
      fault.cannotFire('the connection is encrypted or not a Postgres connection; use sslmode=disable');
    }
  }

  #strike(fault: ArmedFault, pump: Pump): void {
    const { strike } = fault;
    if (!strike || !fault.awaits(this)) return;
    if (strike.how === 'cut' || strike.how === 'reset') {
      this[strike.how]();
      fault.fire(this);
      return;
    }
    // Ends the lasting effect, when the fault is mended or its time is over.
    const undo = () => {
      clearTimeout(this.#timers.get(fault));
      this.#timers.delete(fault);
      fault.undone(undo);
      pump.release(fault);
    };
    if (strike.forMs !== undefined) this.#timers.set(fault, setTimeout(undo, strike.forMs));
    if (strike.how === 'drip') pump.dripBy(fault, strike.pace);
    else pump.stall(fault);
    fault.fire(this, undo);
  }

  #stop(): void {
    for (const pump of Object.values(this.#pumps)) pump.close();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}

/**
 * Ends a socket. During a shutdown, libuv rejects a reset (EINVAL) and Node never emits `close`, so the shutdown must be
 * confirmed first.
 */
function end(socket: Socket, how: 'destroy' | 'resetAndDestroy'): void {
  if (socket.destroyed) return;
  const { writableEnded, writableFinished, writableLength, connecting } = socket;
  const isShuttingDown = writableEnded && !writableFinished && writableLength === 0 && !connecting;
  if (isShuttingDown) socket.once('finish', () => socket[how]());
  else socket[how]();
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}
