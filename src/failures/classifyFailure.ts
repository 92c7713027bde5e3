import { sqlStateOf } from './sqlState.js';
import { type FailureLink, walkFailure } from './walkFailure.js';

/**
 * What can be done about a failed write: `transient`, try again; `poison`, an item is at fault and the others can be written;
 * `fatal`, a person must act first.
 */
export type FailureClass = 'transient' | 'poison' | 'fatal';

/** An item that a sink refuses. */
export interface RejectedItem {
  /** Its place in the batch that was written, counted from 0. */
  readonly index: number;
  /** Why it is refused, for its dead letter. Default: the error that names it. */
  readonly error?: unknown;
}

/**
 * What an error may say about itself, as plain data: an adapter's errors are then classified wherever they turn up. A
 * `SinkError` says all of it.
 */
export interface FailureTraits {
  readonly failureClass?: FailureClass | undefined;
  /** True for `transient`, false for `fatal`. */
  readonly retryable?: boolean;
  /**
   * How long to wait before the next attempt, in milliseconds. An error that says so is transient unless it says otherwise. No
   * writer of the sink makes an attempt before.
   */
  readonly retryAfterMs?: number;
  /** A connection broke that had been there. Another one may be available at once. */
  readonly connectionLost?: boolean;
  /**
   * Which items of the batch are refused, as their places, if the sink knows. They are given up, and the others are written
   * again: the batch is not searched for them. The error must be of class `poison`.
   */
  readonly rejected?: readonly (number | RejectedItem)[];
  /**
   * The rule by which an item is refused, such as the name of a constraint. When one item after the other is refused by one rule,
   * the writer blames the target rather than the items, keeps them and waits.
   */
  readonly rule?: string;
}

/** Classifies one error of a chain; `undefined` leaves it to the next table and then to the causes. */
export type FailureTable = (link: FailureLink) => FailureClass | undefined;

/** Says what can be done about an error. */
export type Classify = (error: unknown) => FailureClass;

/** The classes of SQLSTATE that the SQL standard defines, which every database shares, by their first two characters. */
const SQL_CLASSES = {
  // Connection, invalid state of a transaction, rollback.
  transient: ['08', '25', '40'],
  // Cardinality, data, integrity, WITH CHECK OPTION.
  poison: ['21', '22', '23', '44'],
  // Feature not supported, grantor, role, authorization, catalog, schema, syntax or access.
  fatal: ['0A', '0L', '0P', '28', '3D', '3F', '42'],
} satisfies Record<FailureClass, readonly string[]>;

/** Codes of Node and of the system, see `errno(3)`. ENOENT is missing: a socket of a server that is down, or a folder? */
const CODES = {
  transient: [
    // Sockets and names.
    ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'ENOTCONN', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN', 'ENOTFOUND'],
    ...['EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENETDOWN', 'ENETRESET', 'EADDRNOTAVAIL', 'ENOBUFS'],
    ...['ERR_SOCKET_CLOSED', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_PREMATURE_CLOSE'],
    // Files: what is full or busy may be free again.
    ...['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE', 'EBUSY', 'EAGAIN', 'ENOMEM', 'EIO'],
  ],
  poison: [],
  fatal: [
    ...['EACCES', 'EPERM', 'EROFS', 'EISDIR'],
    // The certificate of the server.
    ...['CERT_HAS_EXPIRED', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN'],
    ...['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ],
} satisfies Record<FailureClass, readonly string[]>;

const byCode = invert(CODES);
const bySqlClass = invert(SQL_CLASSES);

const MAX_LABEL = 40;

/**
 * Composes tables, such as those of a sink, with the base table, which knows what belongs to no vendor: what an error says
 * about itself, codes of the system and the network, and the classes of the SQL standard. For the outermost error that a
 * table knows, the first table to answer decides. Of several errors that caused one, as for a host with several addresses,
 * a transient one is enough to try again. Unknown errors count as transient: retries are bounded, and giving up a good item
 * is worse.
 */
export function classify(...tables: readonly FailureTable[]): Classify {
  const lookUp = (link: FailureLink) => {
    for (const table of tables) {
      const found = table(link);
      if (found !== undefined) return found;
    }
    return baseTable(link);
  };
  return (error) => walkFailure(error, lookUp, (found) => found === 'transient') ?? 'transient';
}

/** What can be done about an error, by {@link FailureTraits}, codes of the system, and the classes of standard SQL. */
export const classifyFailure: Classify = classify();

/**
 * A short label for metrics and letters: the SQLSTATE, else the code of a driver or the system, else our own code, else the
 * name of the error. At most 40 letters, digits and signs of `_.:-`; no part of it comes from the message.
 */
export function failureType(error: unknown): string {
  let sqlState = '';
  let foreign = '';
  let own = '';
  let wrapper = '';
  walkFailure(error, (link) => {
    const { code } = link;
    sqlState ||= sqlStateOf(link) ?? '';
    if (typeof code !== 'string') return;
    if (!code.startsWith('SLUICE_')) foreign ||= code;
    else if (baseTable(link) !== undefined) own ||= code;
    // The innermost wrapper says the most.
    else wrapper = code;
  });
  const label = sqlState || foreign || own || wrapper || nameOf(error);
  return label.slice(0, MAX_LABEL).replace(/[^\w.:-]/g, '_');
}

function baseTable(link: FailureLink): FailureClass | undefined {
  const { failureClass, retryable, retryAfterMs, code } = link;
  if (failureClass === 'transient' || failureClass === 'poison' || failureClass === 'fatal') return failureClass;
  if (typeof retryable === 'boolean') return retryable ? 'transient' : 'fatal';
  if (typeof retryAfterMs === 'number' && retryAfterMs > 0) return 'transient';
  const state = bySqlClass.get(sqlStateOf(link)?.slice(0, 2) ?? '');
  return state ?? (typeof code === 'string' ? byCode.get(code) : undefined);
}

function invert(table: Record<FailureClass, readonly string[]>): ReadonlyMap<string, FailureClass> {
  const classes = Object.entries(table) as [FailureClass, readonly string[]][];
  return new Map(classes.flatMap(([found, keys]) => keys.map((key) => [key, found] as const)));
}

function nameOf(error: unknown): string {
  const name = typeof error === 'object' && error !== null ? (error as FailureLink).name : undefined;
  return typeof name === 'string' && name !== '' ? name : 'unknown';
}
