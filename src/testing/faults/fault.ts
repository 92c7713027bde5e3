import { FaultProxyError } from './faultProxyError.js';

/** The direction of bytes: from the program to its server, or back. */
export type Direction = 'toServer' | 'toClient';

export type FaultKind = 'cut' | 'reset' | 'stall' | 'drip' | 'refuse' | 'dropCommitReply';

/** An armed fault and what it has done. */
export interface Fault {
  readonly kind: FaultKind;
  /** How often it has fired: once per connection that it hit; for `refuse`, once. */
  readonly fired: number;
  /** Resolves once it has fired; rejects if it never will. */
  whenFired(): Promise<void>;
  /** Ends the fault: it fires no more, and what it held up continues before the promise resolves. */
  mend(): Promise<void>;
}

/** What a fault needs to know about a connection. */
export interface FaultSite {
  readonly id: number;
  /** How many bytes were passed on in each direction. */
  readonly bytes: Readonly<Record<Direction, number>>;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export interface ArmedFaultOptions {
  readonly kind: FaultKind;
  readonly direction: Direction;
  readonly afterBytes: number;
  /** The only connection that it may hit; `undefined` for any. */
  readonly connection: number | undefined;
  /** How many connections it hits; Infinity for all. */
  readonly times: number;
  /** The connections that were open when it was armed: their bytes are counted from then on. */
  readonly open: Iterable<FaultSite>;
  readonly onFire: () => void;
  /** Called once it can do nothing more. */
  readonly onOver: () => void;
}

/** A fault as the connections see it: it waits for its byte and fires once per connection until it is used up. */
export class ArmedFault implements Fault {
  readonly kind: FaultKind;
  readonly direction: Direction;
  fired = 0;
  readonly #options: ArmedFaultOptions;
  readonly #from = new Map<number, number>();
  readonly #hit = new Set<number>();
  readonly #undo = new Set<() => void>();
  readonly #waiters = new Set<Waiter>();
  #isMended = false;
  #trouble: FaultProxyError | undefined;

  constructor(options: ArmedFaultOptions) {
    this.#options = options;
    this.kind = options.kind;
    this.direction = options.direction;
    for (const { id, bytes } of options.open) this.#from.set(id, bytes[options.direction]);
  }

  /** Whether it may fire on this connection. */
  awaits({ id }: FaultSite): boolean {
    const { connection, times } = this.#options;
    if (this.#isMended || this.fired >= times || this.#hit.has(id)) return false;
    return connection === undefined || connection === id;
  }

  /** How many bytes this connection may still pass on before the fault fires. */
  leftOn(site: FaultSite): number {
    const passed = site.bytes[this.direction] - (this.#from.get(site.id) ?? 0);
    return Math.max(0, this.#options.afterBytes - passed);
  }

  /** `undo` ends the lasting effect on this connection. */
  fire({ id }: FaultSite, undo?: () => void): void {
    this.fired += 1;
    this.#hit.add(id);
    if (undo) this.#undo.add(undo);
    this.#options.onFire();
    for (const { resolve } of this.#waiters) resolve();
    this.#waiters.clear();
    this.#endIfUsedUp();
  }

  /** Its effect on a connection has ended. */
  undone(undo: () => void): void {
    if (this.#undo.delete(undo)) this.#endIfUsedUp();
  }

  #endIfUsedUp(): void {
    if (this.fired >= this.#options.times && this.#undo.size === 0) this.#options.onOver();
  }

  /** Rejects those who wait for it, because it cannot fire. */
  cannotFire(reason: string): void {
    this.#trouble ??= new FaultProxyError(`${this.kind} cannot fire: ${reason}`);
    this.#refuseWaiters(this.#trouble);
  }

  whenFired(): Promise<void> {
    if (this.fired > 0) return Promise.resolve();
    if (this.#trouble) return Promise.reject(this.#trouble);
    if (this.#isMended) return Promise.reject(this.#mended());
    return new Promise((resolve, reject) => this.#waiters.add({ resolve, reject }));
  }

  mend(): Promise<void> {
    if (this.#isMended) return Promise.resolve();
    this.#isMended = true;
    for (const undo of [...this.#undo]) undo();
    this.#undo.clear();
    this.#refuseWaiters(this.#mended());
    this.#options.onOver();
    return Promise.resolve();
  }

  #mended(): FaultProxyError {
    return new FaultProxyError(`${this.kind} was mended or its proxy closed before it fired`);
  }

  #refuseWaiters(error: FaultProxyError): void {
    for (const { reject } of this.#waiters) reject(error);
    this.#waiters.clear();
  }
}
