/** What a letter says of the error: enough to know what to do, and nothing that must not lie on a disk. */
export interface ErrorRecord {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly sqlState?: string;
  readonly cause?: ErrorRecord;
}

/** How deep a chain of causes is followed, and how much is kept of a message. */
const MAX_DEPTH = 5;
const MAX_LENGTH = 2_000;
const MAX_NAME = 100;

const SECRET =
  '(pass(word|wd|phrase)?|pwd|secret|token|api[-_]?key|access[-_]?key|authorization|credentials?|private[-_]?key)';

/** What gives secrets away, each with what is left of it. */
const SECRETS: readonly (readonly [RegExp, string])[] = [
  // user:password@ of a connection string; the password may hold an @ that somebody forgot to escape.
  [/([a-z][a-z0-9+.-]*:\/\/[^\s/:@"'`]*):[^\s"'`]*@/gi, '$1:***@'],
  [/\b(bearer|basic)\s+[a-z0-9._~+/=-]{6,}/gi, '$1 ***'],
  [new RegExp(`(["']?[\\w-]*${SECRET}["']?\\s*[:=]\\s*)("[^"]*"?|'[^']*'?|[^\\s,;&)}\\]]+)`, 'gi'), '$1***'],
];

export function redact(text: string): string {
  let redacted = text;
  for (const [pattern, left] of SECRETS) redacted = redacted.replace(pattern, left);
  return redacted;
}

/** Never throws: an error is another's object, whose getters may. */
export function recordError(error: unknown): ErrorRecord | null {
  if (error === undefined) return null;
  try {
    return recordAt(error, 1);
  } catch (thrown) {
    return { name: 'Error', message: `an error that cannot be read (${typeof thrown})` };
  }
}

function recordAt(error: unknown, depth: number): ErrorRecord {
  if (typeof error !== 'object' || error === null)
    return { name: typeof error, message: clip(String(error), MAX_LENGTH) };
  const { name, message, code, sqlState, cause, errors } = error as Record<string, unknown>;
  const beneath = cause ?? (Array.isArray(errors) ? (errors[0] as unknown) : undefined);
  const state = typeof sqlState === 'string' ? sqlState : isSqlState(code) ? code : undefined;
  return {
    name: typeof name === 'string' && name !== '' ? clip(name, MAX_NAME) : 'Error',
    message: typeof message === 'string' ? clip(message, MAX_LENGTH) : '',
    ...(typeof code === 'string' || typeof code === 'number' ? { code: clip(String(code), MAX_NAME) } : {}),
    ...(state === undefined ? {} : { sqlState: clip(state, MAX_NAME) }),
    ...(beneath === undefined || beneath === null || depth >= MAX_DEPTH ? {} : { cause: recordAt(beneath, depth + 1) }),
  };
}

function isSqlState(code: unknown): code is string {
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && /\d/.test(code);
}

function clip(text: string, longest: number): string {
  // The patterns would take their time over a text without bounds; what is cut off is not kept, so it gives nothing away.
  const redacted = redact(text.slice(0, longest * 4));
  return redacted.length > longest ? `${redacted.slice(0, longest)}…` : redacted;
}
