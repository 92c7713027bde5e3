import type { Direction, Fault, FaultKind } from './fault.js';

export interface FaultProxyConfig {
  /** The server: its host and port, or the connection string of a database on it, of which nothing else is kept. */
  readonly target: string | { readonly host: string; readonly port: number };
  /** Where the proxy listens. Default `127.0.0.1`. */
  readonly host?: string;
  /** The port that it listens on, 0 to 65,535. Default 0: one that is free. */
  readonly port?: number;
}

/** Which connections a fault hits. */
export interface FaultScope {
  /** Only the connection with this id. Default: any. */
  readonly connection?: number;
  /** How many connections it hits, each once; `Infinity` for each one until it is mended. At least 1, default 1. */
  readonly times?: number;
}

/** A fault that waits for the traffic of a connection. */
export interface TrafficFault extends FaultScope {
  /** Which way. Default `toServer`. */
  readonly direction?: Direction;
  /**
   * How many bytes may pass, from when the fault was armed, or the connection made if that was later. The byte behind them
   * sets it off, and is not let through. Integer of at least 0, default 0.
   */
  readonly afterBytes?: number;
}

export interface StallFault extends TrafficFault {
  /** How long, in milliseconds, 0 or more. Default: until mended. */
  readonly forMs?: number;
}

export interface DripFault extends StallFault {
  /** So many bytes at once. Integer of at least 1, default 1. */
  readonly bytes?: number;
  /** Then a pause of so many milliseconds, 0 or more. Default 10. */
  readonly everyMs?: number;
}

export interface RefuseFault {
  /** How long, in milliseconds, 0 or more. Default: until mended. */
  readonly forMs?: number;
}

export interface CommitReplyFault extends FaultScope {
  /** What becomes of the connection: closed, reset, or silent until mended. Default `cut`. */
  readonly how?: 'cut' | 'reset' | 'stall';
}

/** An open connection. */
export interface ConnectionInfo {
  /** From 1, in the order in which they came. */
  readonly id: number;
  readonly bytes: Readonly<Record<Direction, number>>;
}

export interface FaultCounts {
  /** How many connections were accepted. */
  readonly connections: number;
  /** How many bytes were let through. */
  readonly bytes: Readonly<Record<Direction, number>>;
  /** How often faults of each kind have fired. */
  readonly fired: Readonly<Record<FaultKind, number>>;
}

/** A proxy that passes everything on until it is told to do worse. */
export interface FaultProxy {
  readonly host: string;
  readonly port: number;
  /** The connection string with host and port of the proxy in place of the server's. */
  url(databaseUrl: string): string;
  readonly connections: readonly ConnectionInfo[];
  readonly counts: FaultCounts;
  /** Closes a connection after so many bytes, on both sides. */
  cut(options?: TrafficFault): Fault;
  /** Resets a connection (RST) after so many bytes, on both sides. */
  reset(options?: TrafficFault): Fault;
  /** Stops passing bytes on, one way; the connection stays open. */
  stall(options?: StallFault): Fault;
  /** Passes bytes on in drips, one way. */
  drip(options?: DripFault): Fault;
  /** Refuses new connections; open ones stay. */
  refuse(options?: RefuseFault): Fault;
  /**
   * Lets the next statement commit and loses the reply: from its CommandComplete to the ReadyForQuery behind the commit.
   * For Postgres without TLS.
   */
  dropCommitReply(options?: CommitReplyFault): Fault;
  /** Ends all open connections now; returns how many. */
  sever(how?: 'cut' | 'reset'): number;
  /** Mends every fault. */
  mend(): Promise<void>;
  /** Stops listening and ends every connection. Nothing is left open when it resolves. */
  close(): Promise<void>;
}
