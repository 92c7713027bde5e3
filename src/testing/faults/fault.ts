import { AsyncSubject, firstValueFrom } from 'rxjs';
import { FaultProxyError } from './faultProxyError.js';

/** The direction of bytes: from the program to its server, or back. */
export type Direction = 'toServer' | 'toClient';

export type FaultKind =
  | 'cut'
  | 'reset'
  | 'stall'
  | 'drip'
  | 'vanish'
  | 'halfOpen'
  | 'slowClose'
  | 'refuse'
  | 'dropCommitReply';

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
  /** How many rows of results were passed on to the client. */
  readonly rows: number;
}

export interface DripPace {
  readonly bytes: number;
  readonly everyMs: number;
}

/** What a fault does to a connection. */
export type Strike =
  | { readonly how: 'cut' | 'reset' | 'halfOpen' | 'stall' | 'slowClose'; readonly forMs?: number | undefined }
  | { readonly how: 'vanish'; readonly serverNoticesMs: number | undefined }
  | { readonly how: 'drip'; readonly forMs: number | undefined; readonly pace: DripPace };

export interface ArmedFaultOptions {
  readonly kind: FaultKind;
  /** Absent for `refuse`, which affects no open connection. */
  readonly strike?: Strike;
  /** The direction of the bytes that trigger it, and how many pass first. Absent if bytes do not trigger it. */
  readonly direction?: Direction;
  readonly afterBytes?: number;
  /** How many rows of results pass first, if rows rather than bytes trigger it. */
  readonly afterRows?: number | undefined;
  /** The only connection that it may hit; `undefined` for any. */
  readonly connection?: number | undefined;
  /** How many connections it hits; Infinity for all. */
  readonly times: number;
  /** The connections that were open when it was armed: their bytes are counted from then on. */
  readonly open: Iterable<FaultSite>;
  readonly onFire: () => void;
  /** Called once it can do nothing more. */
  readonly onOver: () => void;
}

/** A fault as the connections see it: it waits for its trigger and fires once per connection until it is used up. */
export class ArmedFault implements Fault {
  readonly kind: FaultKind;
  readonly strike: Strike | undefined;
  fired = 0;
  readonly #options: ArmedFaultOptions;
  readonly #from = new Map<number, Pick<FaultSite, 'bytes' | 'rows'>>();
  readonly #hit = new Set<number>();
  readonly #undo = new Set<() => void>();
  readonly #firing = new AsyncSubject<void>();
  #isMended = false;

  constructor(options: ArmedFaultOptions) {
    this.#options = options;
    this.kind = options.kind;
    this.strike = options.strike;
    for (const { id, bytes, rows } of options.open) this.#from.set(id, { bytes: { ...bytes }, rows });
  }

  /** Whether it counts the rows of a Postgres connection. */
  get needsRows(): boolean {
    return this.#options.afterRows !== undefined;
  }

  /** Whether it may fire on this connection. */
  awaits({ id }: FaultSite): boolean {
    const { connection, times } = this.#options;
    if (this.#isMended || this.fired >= times || this.#hit.has(id)) return false;
    return connection === undefined || connection === id;
  }

  /** How many bytes this connection may still pass on in this direction before the fault fires; Infinity if it will not. */
  leftOn(site: FaultSite, direction: Direction): number {
    const { direction: wanted, afterBytes = 0, afterRows } = this.#options;
    if (direction !== wanted || afterRows !== undefined || !this.awaits(site)) return Infinity;
    const passed = site.bytes[direction] - (this.#from.get(site.id)?.bytes[direction] ?? 0);
    return Math.max(0, afterBytes - passed);
  }

  /** Whether it fires on this connection after the row that was just passed on. */
  isDueAfterRow(site: FaultSite): boolean {
    const { afterRows } = this.#options;
    if (afterRows === undefined || !this.awaits(site)) return false;
    return site.rows - (this.#from.get(site.id)?.rows ?? 0) >= afterRows;
  }

  /** `undo` ends the lasting effect on this connection. */
  fire({ id }: FaultSite, undo?: () => void): void {
    this.fired += 1;
    this.#hit.add(id);
    if (undo) this.#undo.add(undo);
    this.#options.onFire();
    this.#firing.next();
    this.#firing.complete();
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
    this.#firing.error(new FaultProxyError(`${this.kind} cannot fire: ${reason}`));
  }

  async whenFired(): Promise<void> {
    if (this.fired === 0) await firstValueFrom(this.#firing);
  }

  async mend(): Promise<void> {
    if (this.#isMended) return;
    this.#isMended = true;
    for (const undo of [...this.#undo]) undo();
    this.#firing.error(new FaultProxyError(`${this.kind} was mended or its proxy closed before it fired`));
    this.#options.onOver();
  }
}
