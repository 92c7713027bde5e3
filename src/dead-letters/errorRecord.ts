import { sqlStateOf } from '../failures/sqlState.js';
import { redactText } from '../primitives/redact.js';

/** What a letter keeps of an error: enough to act on, and no secret. */
export interface ErrorRecord {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly sqlState?: string;
  readonly cause?: ErrorRecord;
}

/** How many causes are followed, and how much is kept of a message and a name. */
const MAX_DEPTH = 5;
const MAX_LENGTH = 2_000;
const MAX_NAME = 100;

/** Never throws, though the getters of an error may. */
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
  const state = typeof sqlState === 'string' ? sqlState : sqlStateOf({ code });
  return {
    name: typeof name === 'string' && name !== '' ? clip(name, MAX_NAME) : 'Error',
    message: typeof message === 'string' ? clip(message, MAX_LENGTH) : '',
    ...(typeof code === 'string' || typeof code === 'number' ? { code: clip(String(code), MAX_NAME) } : {}),
    ...(state === undefined ? {} : { sqlState: clip(state, MAX_NAME) }),
    ...(beneath === undefined || beneath === null || depth >= MAX_DEPTH ? {} : { cause: recordAt(beneath, depth + 1) }),
  };
}

function clip(text: string, maxLength: number): string {
  // Redacted as a whole: half a connection string would not be recognised.
  const redacted = redactText(text);
  return redacted.length > maxLength ? `${redacted.slice(0, maxLength)}…` : redacted;
}
