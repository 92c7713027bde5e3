import { connect, type Socket } from 'node:net';
import type { ArmedFault, Direction, FaultSite } from './fault.js';
import { PostgresReplies } from './postgresReplies.js';
import { type DripPace, Pump } from './pump.js';

/** What a fault does to a connection. */
export type Strike =
  | { readonly kind: 'cut' }
  | { readonly kind: 'reset' }
  | { readonly kind: 'stall'; readonly forMs: number | undefined }
  | { readonly kind: 'drip'; readonly pace: DripPace; readonly forMs: number | undefined };

/** A fault that bytes trigger, and what it does. */
export interface StrikingFault {
  readonly fault: ArmedFault;
  readonly strike: Strike;
}

/** A fault that the reply to a commit triggers, and what it does. */
export interface CommitFault {
  readonly fault: ArmedFault;
  readonly how: 'cut' | 'reset' | 'stall';
}

export interface ConnectionHost {
  readonly target: { readonly host: string; readonly port: number };
  readonly striking: ReadonlySet<StrikingFault>;
  readonly onCommit: ReadonlySet<CommitFault>;
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
  #isOver = false;

  constructor(id: number, client: Socket, host: ConnectionHost) {
    this.id = id;
    this.#host = host;
    this.#client = client;
    this.#server = connect({ ...host.target, allowHalfOpen: true, noDelay: true });
    client.setNoDelay(true);
    this.#replies = new PostgresReplies(() => this.#commitFault() !== undefined);
    this.#pumps = { toServer: this.#pump('toServer'), toClient: this.#pump('toClient') };
    this.#closing = Promise.all([closed(client), closed(this.#server)]).then(() => this.#end());
    for (const [socket, other] of [
      [client, this.#server],
      [this.#server, client],
    ] as const) {
      // Each side ends the way the other did.
      socket.on('error', () => reset(other));
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
    for (const socket of [this.#client, this.#server]) reset(socket);
  }

  close(): Promise<unknown> {
    this.#stop();
    for (const socket of [this.#client, this.#server]) destroy(socket);
    return this.#closing;
  }

  #pump(direction: Direction): Pump {
    const [client, server] = [this.#client, this.#server];
    const [source, sink] = direction === 'toServer' ? [client, server] : [server, client];
    const replies = this.#replies;
    return new Pump({
      direction,
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
        replies.fromClient(chunk);
        this.#reportOpaque();
        return [chunk];
      },
      rest: () => (direction === 'toClient' ? replies.rest() : []),
    });
  }

  *#due(direction: Direction): Generator<readonly [ArmedFault, number]> {
    for (const { fault } of this.#host.striking) {
      if (fault.direction === direction && fault.awaits(this)) yield [fault, fault.leftOn(this)];
    }
  }

  #commitFault(): CommitFault | undefined {
    for (const candidate of this.#host.onCommit) if (candidate.fault.awaits(this)) return candidate;
    return undefined;
  }

  #inspectReplies(chunk: Buffer): readonly (Buffer | (() => void))[] {
    const { pass, swallowed } = this.#replies.fromServer(chunk);
    this.#reportOpaque();
    if (!swallowed) return pass;
    return [
      ...pass,
      () => {
        const due = this.#commitFault();
        if (due) this.#act(due.fault, due.how, this.#pumps.toClient);
        // Mended after the reply was removed: the client must not wait for it.
        else this.cut();
      },
    ];
  }

  #reportOpaque(): void {
    if (!this.#replies.isOpaque) return;
    for (const { fault } of this.#host.onCommit) {
      if (fault.awaits(this))
        fault.cannotFire('the connection is encrypted or not a Postgres connection; use sslmode=disable');
    }
  }

  #strike(fault: ArmedFault, pump: Pump): void {
    for (const { fault: candidate, strike } of this.#host.striking) {
      if (candidate !== fault || !fault.awaits(this)) continue;
      if (strike.kind !== 'drip') {
        this.#act(fault, strike.kind, pump, strike.kind === 'stall' ? strike.forMs : undefined);
        return;
      }
      const undo = this.#undoing(fault, () => pump.endDrip(fault), strike.forMs);
      pump.dripBy(fault, strike.pace);
      fault.fire(this, undo);
      return;
    }
  }

  #act(fault: ArmedFault, how: 'cut' | 'reset' | 'stall', pump: Pump, forMs?: number): void {
    if (how === 'stall') {
      const undo = this.#undoing(fault, () => pump.resume(fault), forMs);
      pump.stall(fault);
      fault.fire(this, undo);
      return;
    }
    this[how]();
    fault.fire(this);
  }

  /** Makes the function that ends a lasting effect, called when the fault is mended or its time is over. */
  #undoing(fault: ArmedFault, end: () => void, forMs: number | undefined): () => void {
    const undo = () => {
      clearTimeout(this.#timers.get(fault));
      this.#timers.delete(fault);
      fault.undone(undo);
      end();
    };
    if (forMs !== undefined) this.#timers.set(fault, setTimeout(undo, forMs));
    return undo;
  }

  #stop(): void {
    this.#isOver = true;
    for (const pump of Object.values(this.#pumps)) pump.close();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  #end(): void {
    if (!this.#isOver) this.#stop();
    this.#host.closed(this);
  }
}

/** Whether a shutdown was requested and is not confirmed yet. */
function isShuttingDown(socket: Socket): boolean {
  const { writableEnded, writableFinished, writableLength, connecting, destroyed } = socket;
  return writableEnded && !writableFinished && writableLength === 0 && !connecting && !destroyed;
}

/**
 * Resets a socket. During a shutdown, libuv rejects the reset (EINVAL) and Node never emits `close`, so the shutdown must be
 * confirmed first.
 */
function reset(socket: Socket): void {
  if (isShuttingDown(socket)) socket.once('finish', () => socket.resetAndDestroy());
  else if (!socket.destroyed) socket.resetAndDestroy();
}

function destroy(socket: Socket): void {
  if (isShuttingDown(socket)) socket.once('finish', () => socket.destroy());
  else socket.destroy();
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}
