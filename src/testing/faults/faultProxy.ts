import type { Direction, Fault, FaultKind } from './fault.js';

export interface FaultProxyConfig {
  /** The server: its host and port, or a connection string, of which only these are kept. */
  readonly target: string | { readonly host: string; readonly port: number };
  /** The address that the proxy listens on. Default `127.0.0.1`. */
  readonly host?: string;
  /** The port that the proxy listens on, 0 to 65,535. Default 0: any free port. */
  readonly port?: number;
}

/** Which connections a fault hits. */
export interface FaultScope {
  /** Only the connection with this id. Default: any. */
  readonly connection?: number;
  /** How many connections it hits, once each; `Infinity` for all until mended. From 1, default 1. */
  readonly times?: number;
}

/** A fault that the traffic of a connection triggers. */
export interface TrafficFault extends FaultScope {
  /** The direction of the bytes. Default `toServer`. */
  readonly direction?: Direction;
  /**
   * How many bytes pass first, counted from when the fault was armed or from the start of a later connection. The next byte
   * triggers the fault and is not passed on. Integer of at least 0, default 0.
   */
  readonly afterBytes?: number;
}

/** Traffic that stops in one direction while the connection stays open. */
export interface StallFault extends TrafficFault {
  /** How long, in milliseconds. From 0, default: until mended. */
  readonly forMs?: number;
}

/** Traffic that is passed on a few bytes at a time. */
export interface DripFault extends StallFault {
  /** How many bytes are passed on at a time. Integer of at least 1, default 1. */
  readonly bytes?: number;
  /** The pause between them, in milliseconds. From 0, default 10. */
  readonly everyMs?: number;
}

export interface VanishFault extends TrafficFault {
  /**
   * After how many milliseconds the server finds out by itself, as by its keepalive, and ends its session. From 0, default:
   * never, until mended.
   */
  readonly serverNoticesMs?: number;
}

export interface HalfOpenFault extends TrafficFault {
  /**
   * How many rows of results pass first, instead of `afterBytes` and whatever the direction; counted from when the fault was armed
   * or from the start of a later connection. Integer of at least 1. Needs Postgres without TLS.
   */
  readonly afterRows?: number;
}

export interface SlowCloseFault extends FaultScope {
  /** How long the end is held back, in milliseconds. From 0, default: until mended. */
  readonly forMs?: number;
}

/** Connections that are refused. */
export interface RefuseFault {
  /** How long, in milliseconds. From 0, default: until mended. */
  readonly forMs?: number;
}

/** A commit whose reply is lost. */
export interface CommitReplyFault extends FaultScope {
  /** What happens to the connection: it is closed, reset, or silent until mended. Default `cut`. */
  readonly how?: 'cut' | 'reset' | 'stall';
}

/** An open connection. */
export interface ConnectionInfo {
  /** From 1, in the order of connecting. */
  readonly id: number;
  readonly bytes: Readonly<Record<Direction, number>>;
}

/** What a fault proxy has seen and done. */
export interface FaultCounts {
  /** How many connections were accepted. */
  readonly connections: number;
  /** How many bytes were passed on. */
  readonly bytes: Readonly<Record<Direction, number>>;
  /** How often the faults of each kind have fired. */
  readonly fired: Readonly<Record<FaultKind, number>>;
}

/** A proxy that passes everything on until a fault is armed. */
export interface FaultProxy {
  readonly host: string;
  readonly port: number;
  /** The connection string with the host and port of the proxy instead of the server's. */
  url(databaseUrl: string): string;
  readonly connections: readonly ConnectionInfo[];
  readonly counts: FaultCounts;
  /** Closes both sides of a connection after `afterBytes`. */
  cut(options?: TrafficFault): Fault;
  /** Resets both sides of a connection (RST) after `afterBytes`. */
  reset(options?: TrafficFault): Fault;
  /** Stops passing bytes on in one direction; the connection stays open. */
  stall(options?: StallFault): Fault;
  /** Passes bytes on slowly in one direction. */
  drip(options?: DripFault): Fault;
  /**
   * Loses a connection without a word after `afterBytes`, as when a firewall forgets it or a host loses its power: what either side
   * sends is lost, and neither learns that the other has ended. Mending it resets both sides.
   */
  vanish(options?: VanishFault): Fault;
  /**
   * Ends the server's side of a connection after `afterBytes` or `afterRows` and leaves the client's open: what the client sends is
   * lost, and no reply comes. Mending it resets the client's side.
   */
  halfOpen(options?: HalfOpenFault): Fault;
  /** Holds back the end of a connection: when one side ends it, the other learns of it later. */
  slowClose(options?: SlowCloseFault): Fault;
  /** Refuses new connections; existing ones stay open. */
  refuse(options?: RefuseFault): Fault;
  /**
   * Lets the next statement commit and loses the reply, from its CommandComplete to the ReadyForQuery after the commit. Needs
   * Postgres without TLS.
   */
  dropCommitReply(options?: CommitReplyFault): Fault;
  /** Ends all open connections immediately and returns how many there were. */
  sever(how?: 'cut' | 'reset'): number;
  /** Mends every fault. */
  mend(): Promise<void>;
  /** Stops listening and ends every connection. Resolves when nothing is open. */
  close(): Promise<void>;
}
