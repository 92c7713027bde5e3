/**
 * What can be done about a failed write: `transient`, try again; `poison`, it is the fault of an item, and the others can be
 * written; `fatal`, a person must act first.
 */
export type FailureClass = 'transient' | 'poison' | 'fatal';

/** Says nothing by itself: what lies beneath decides, and it is transient where nothing does. */
const BENEATH = 'beneath';

type Verdict = FailureClass | typeof BENEATH;

/**
 * The one table. A SQLSTATE is looked up whole, then by its class, the first two characters. See "PostgreSQL Error Codes",
 * appendix A of its manual, and `errno(3)`.
 */
const VERDICTS: ReadonlyMap<string, Verdict> = new Map<string, Verdict>([
  // The connection. PgBouncer sends 08P01 for a server that went away, so that it is no exception.
  ['08', 'transient'],
  // Serialisation failure, deadlock, unknown completion: another try of the same may work.
  ['40', 'transient'],
  ['40002', 'poison'],
  // Out of disk, memory, connections.
  ['53', 'transient'],
  // Object in use, lock not available.
  ['55', 'transient'],
  // Cancelled by a timeout or an operator; shut down, starting up, dropped while connected.
  ['57', 'transient'],
  // The system beneath Postgres: input and output.
  ['58', 'transient'],
  ['XX', 'transient'],
  // Data, index corrupted: what is written on top of it may be lost.
  ['XX001', 'fatal'],
  ['XX002', 'fatal'],
  // The state of this transaction or session, which the next does not share: 25P02 failed before, 25P03 idle for too long.
  // 25006 is read-only, as an old primary is after a failover.
  ['25', 'transient'],
  // A prepared statement that the pooler has put elsewhere: unknown here, or known already.
  ['26000', 'transient'],
  ['42P05', 'transient'],

  // A value that does not fit, a constraint, two rows with one key, a row that a trigger or a view refuses.
  ['22', 'poison'],
  ['23', 'poison'],
  ['21000', 'poison'],
  ['44', 'poison'],
  ['P0', 'poison'],
  // A row too large for its page or index; a document nested too deeply.
  ['54000', 'poison'],
  ['54001', 'poison'],

  // Login, database, schema, table, column, permission, syntax, role; what this server does not have.
  ['28', 'fatal'],
  ['3D', 'fatal'],
  ['3F', 'fatal'],
  ['42', 'fatal'],
  ['0A', 'fatal'],
  ['0L', 'fatal'],
  ['0P', 'fatal'],
  ['F0', 'fatal'],
  // Too many columns or arguments: the statement is wrong, whatever the row.
  ['54', 'fatal'],

  // Sockets and names. ENOENT is not here: it is a socket of a server that is down as well as a folder that is missing.
  ['ECONNREFUSED', 'transient'],
  ['ECONNRESET', 'transient'],
  ['ECONNABORTED', 'transient'],
  ['ENOTCONN', 'transient'],
  ['EPIPE', 'transient'],
  ['ETIMEDOUT', 'transient'],
  ['EAI_AGAIN', 'transient'],
  ['ENOTFOUND', 'transient'],
  ['EHOSTUNREACH', 'transient'],
  ['EHOSTDOWN', 'transient'],
  ['ENETUNREACH', 'transient'],
  ['ENETDOWN', 'transient'],
  ['ENETRESET', 'transient'],
  ['EADDRNOTAVAIL', 'transient'],
  ['ENOBUFS', 'transient'],
  ['ERR_SOCKET_CLOSED', 'transient'],
  ['ERR_STREAM_DESTROYED', 'transient'],
  ['ERR_STREAM_PREMATURE_CLOSE', 'transient'],
  // Files: what is full or busy may be free again.
  ['ENOSPC', 'transient'],
  ['EDQUOT', 'transient'],
  ['EMFILE', 'transient'],
  ['ENFILE', 'transient'],
  ['EBUSY', 'transient'],
  ['EAGAIN', 'transient'],
  ['ENOMEM', 'transient'],
  ['EIO', 'transient'],
  ['EACCES', 'fatal'],
  ['EPERM', 'fatal'],
  ['EROFS', 'fatal'],
  ['EISDIR', 'fatal'],
  ['ENOTDIR', 'fatal'],
  // The certificate of the server.
  ['CERT_HAS_EXPIRED', 'fatal'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'fatal'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'fatal'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'fatal'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'fatal'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'fatal'],

  // Our own.
  ['SLUICE_STORE_UNREACHABLE', BENEATH],
  ['SLUICE_STORE_CONNECTION_LOST', BENEATH],
  ['SLUICE_STORE_FAILED', BENEATH],
  ['SLUICE_WRITE_FAILED', BENEATH],
  ['SLUICE_NDJSON_FAILED', BENEATH],
  ['SLUICE_WRITE_TIMEOUT', 'transient'],
  ['SLUICE_CIRCUIT_OPEN', 'transient'],
  ['SLUICE_STREAM_STALE', 'transient'],
  ['SLUICE_STORE_VALUE', 'poison'],
  ['SLUICE_NDJSON_VALUE', 'poison'],
  ['SLUICE_DECODE_FAILED', 'poison'],
  ['SLUICE_STORE_PASSWORD', 'fatal'],
  ['SLUICE_STORE_DATABASE', 'fatal'],
  ['SLUICE_STORE_TABLE', 'fatal'],
  ['SLUICE_STORE_PERMISSION', 'fatal'],
  ['SLUICE_STORE_URL', 'fatal'],
  ['SLUICE_STORE_FOLDER', 'fatal'],
  ['SLUICE_STORE_LOCKED', 'fatal'],
  ['SLUICE_STORE_UNSUPPORTED', 'fatal'],
]);

/** What the driver says without a code. */
const SAID: readonly (readonly [RegExp, FailureClass])[] = [
  [/^Cannot use a pool after calling end/, 'fatal'],
  [/^Connection terminated/, 'transient'],
  [/^Client (has encountered a connection error|was closed) and is not queryable/, 'transient'],
  [/^timeout (expired|exceeded when trying to connect)/, 'transient'],
  [/^Query read timeout/, 'transient'],
];

/** How deep causes are followed, and how many errors are looked at in all. Both may be endless. */
const MAX_DEPTH = 8;
const MAX_ITEMS = 64;

const MAX_LABEL = 40;

interface ErrorLike {
  readonly sqlState?: unknown;
  readonly code?: unknown;
  readonly name?: unknown;
  readonly message?: unknown;
  readonly cause?: unknown;
  readonly errors?: unknown;
}

/**
 * What can be done about an error, by its `sqlState`, its `code`, what the driver says without one, and then by what caused
 * it. Where several errors are the cause, as for a host with several addresses, one that may pass is enough to try again.
 * What nobody knows is `transient`: tries are limited, and an item that is given up for nothing is lost work.
 */
export function classifyFailure(error: unknown): FailureClass {
  return verdictOf(error, new Set()) ?? 'transient';
}

/**
 * A short label for metrics and letters: the SQLSTATE, else the code of a driver or the system, else our own code, else the
 * name of the error. At most 40 letters, digits and signs of `_.:-`; what an error says is never part of it.
 */
export function failureType(error: unknown): string {
  const codes = { sqlState: '', foreign: '', own: '', wrapper: '' };
  collectCodes(error, codes, new Set());
  const label = codes.sqlState || codes.foreign || codes.own || codes.wrapper || nameOf(error);
  return label.slice(0, MAX_LABEL).replace(/[^\w.:-]/g, '_');
}

function verdictOf(error: unknown, seen: Set<object>, depth = 0): FailureClass | undefined {
  if (!isNew(error, seen, depth)) return typeof error === 'string' ? said(error) : undefined;
  const verdict = verdictOfCode(error.sqlState) ?? verdictOfCode(error.code);
  if (verdict !== undefined && verdict !== BENEATH) return verdict;
  const own = verdict === undefined && typeof error.message === 'string' ? said(error.message) : undefined;
  return own ?? verdictOf(error.cause, seen, depth + 1) ?? verdictOfAll(error.errors, seen, depth + 1);
}

function verdictOfAll(errors: unknown, seen: Set<object>, depth: number): FailureClass | undefined {
  if (!Array.isArray(errors)) return undefined;
  let first: FailureClass | undefined;
  for (const one of errors.slice(0, MAX_ITEMS)) {
    const verdict = verdictOf(one, seen, depth);
    if (verdict === 'transient') return verdict;
    first ??= verdict;
  }
  return first;
}

function verdictOfCode(code: unknown): Verdict | undefined {
  if (typeof code !== 'string') return undefined;
  const exact = VERDICTS.get(code);
  // System codes of five letters, such as EPIPE, are no SQLSTATE.
  return exact ?? (isSqlState(code) ? VERDICTS.get(code.slice(0, 2)) : undefined);
}

function said(message: string): FailureClass | undefined {
  return SAID.find(([pattern]) => pattern.test(message))?.[1];
}

/** A class of Postgres never begins with E, and the codes of the system do. */
function isSqlState(code: string): boolean {
  return /^[0-9A-DF-Z][0-9A-Z]{4}$/.test(code);
}

function collectCodes(
  error: unknown,
  codes: { sqlState: string; foreign: string; own: string; wrapper: string },
  seen: Set<object>,
  depth = 0,
): void {
  if (!isNew(error, seen, depth)) return;
  for (const code of [error.sqlState, error.code]) {
    if (typeof code !== 'string' || code === '') continue;
    if (isSqlState(code)) codes.sqlState ||= code;
    else if (!code.startsWith('SLUICE_')) codes.foreign ||= code;
    else if (VERDICTS.get(code) !== BENEATH) codes.own ||= code;
    // The innermost wrapper says the most.
    else codes.wrapper = code;
  }
  collectCodes(error.cause, codes, seen, depth + 1);
  if (Array.isArray(error.errors)) {
    for (const one of error.errors.slice(0, MAX_ITEMS)) collectCodes(one, codes, seen, depth + 1);
  }
}

function nameOf(error: unknown): string {
  const name = typeof error === 'object' && error !== null ? (error as ErrorLike).name : undefined;
  return typeof name === 'string' && name !== '' ? name : 'unknown';
}

function isNew(error: unknown, seen: Set<object>, depth: number): error is ErrorLike {
  if (typeof error !== 'object' || error === null) return false;
  if (depth > MAX_DEPTH || seen.size >= MAX_ITEMS || seen.has(error)) return false;
  seen.add(error);
  return true;
}
