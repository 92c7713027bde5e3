import { connect, type Socket } from 'node:net';
import type { Address } from './address.js';
import type { ArmedFault, Direction, FaultKind, FaultSite } from './fault.js';
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
  rows = 0;
  readonly #host: ConnectionHost;
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #pumps: Readonly<Record<Direction, Pump>>;
  readonly #replies: PostgresReplies;
  readonly #timers = new Map<ArmedFault, NodeJS.Timeout>();
  readonly #closing: Promise<unknown>;
  /** Neither side hears of the other any more. */
  #isSilent = false;
  /** The ends that one side has not heard of yet. */
  readonly #heldEnds: (() => void)[] = [];
  #isSlow = false;
  #noticing: NodeJS.Timeout | undefined;

  constructor(id: number, client: Socket, host: ConnectionHost) {
    this.id = id;
    this.#host = host;
    this.#client = client;
    this.#server = connect({ ...host.target, allowHalfOpen: true, noDelay: true });
    client.setNoDelay(true);
    this.#replies = new PostgresReplies(
      () => this.#faults('dropCommitReply').length > 0,
      () => {
        this.rows += 1;
        return this.#rowFaults().length > 0;
      },
    );
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
      socket.on('error', () => this.#tell(() => end(other, 'resetAndDestroy')));
      socket.on('close', () => {
        if (socket.errored === null) this.#tell(() => other.end());
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

  /** Loses what either side sends from now on. */
  #silence(): void {
    this.#stop();
    this.#isSilent = true;
    for (const socket of [this.#client, this.#server]) socket.resume();
  }

  /** Lets one side hear how the other has ended, at once unless a fault holds that back. */
  #tell(how: () => void): void {
    if (this.#isSilent) return;
    const [slow] = this.#isSlow ? [] : this.#faults('slowClose');
    if (slow) {
      this.#isSlow = true;
      this.#last(slow, () => {
        this.#isSlow = false;
        for (const held of this.#heldEnds.splice(0)) held();
      });
    }
    if (this.#isSlow) this.#heldEnds.push(how);
    else how();
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
      ended: () => this.#tell(() => sink.end()),
    });
  }

  *#due(direction: Direction): Generator<readonly [ArmedFault, number]> {
    for (const fault of this.#host.armed) yield [fault, fault.leftOn(this, direction)];
  }

  #faults(kind: FaultKind): ArmedFault[] {
    return [...this.#host.armed].filter((fault) => fault.kind === kind && fault.awaits(this));
  }

  #rowFaults(): ArmedFault[] {
    return [...this.#host.armed].filter((fault) => fault.isDueAfterRow(this));
  }

  #inspectReplies(chunk: Buffer): readonly (Buffer | (() => void))[] {
    const { pass, swallowed, hasRowDue } = this.#replies.fromServer(chunk);
    this.#reportOpaque();
    if (!swallowed && !hasRowDue) return pass;
    return [
      ...pass,
      () => {
        const [due] = swallowed ? this.#faults('dropCommitReply') : this.#rowFaults();
        if (due) this.#strike(due, this.#pumps.toClient);
        // Mended after the bytes were removed: the client must not wait for them.
        else this.cut();
      },
    ];
  }

  #reportOpaque(): void {
    if (!this.#replies.isOpaque) return;
    for (const fault of [
      ...this.#faults('dropCommitReply'),
      ...this.#faults('halfOpen').filter((one) => one.needsRows),
    ]) {
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
    if (strike.how === 'vanish' || strike.how === 'halfOpen') {
      this.#silence();
      if (strike.how === 'halfOpen') end(this.#server, 'destroy');
      const notices = strike.how === 'vanish' ? strike.serverNoticesMs : undefined;
      // In its own time, whatever becomes of the fault.
      if (notices !== undefined) this.#noticing = setTimeout(() => end(this.#server, 'resetAndDestroy'), notices);
      fault.fire(this, () => this.reset());
      return;
    }
    if (strike.how === 'drip') pump.dripBy(fault, strike.pace);
    else pump.stall(fault);
    this.#last(fault, () => pump.release(fault));
  }

  /** Lets a fault fire whose effect lasts until it is mended or its time is over. */
  #last(fault: ArmedFault, release: () => void): void {
    const undo = () => {
      clearTimeout(this.#timers.get(fault));
      this.#timers.delete(fault);
      fault.undone(undo);
      release();
    };
    const forMs = fault.strike && 'forMs' in fault.strike ? fault.strike.forMs : undefined;
    if (forMs !== undefined) this.#timers.set(fault, setTimeout(undo, forMs));
    fault.fire(this, undo);
  }

  #stop(): void {
    for (const pump of Object.values(this.#pumps)) pump.close();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    clearTimeout(this.#noticing);
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
