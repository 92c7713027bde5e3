import { sqlStateOf } from '../failures/sqlState.js';
import { type FailureLink, walkFailure } from '../failures/walkFailure.js';
import { redactText } from '../primitives/redact.js';

/** What a letter keeps of an error: enough to act on, and no secret. */
export interface ErrorRecord {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly sqlState?: string;
  readonly cause?: ErrorRecord;
}

/** How many errors of a chain are kept, each with how much of a message and a name: a letter has to have room for its items. */
const MAX_ERRORS = 5;
const MAX_LENGTH = 2_000;
const MAX_NAME = 100;

/** Never throws, though the getters of an error may. */
export function recordError(error: unknown): ErrorRecord | null {
  if (error === undefined) return null;
  try {
    return recordChain(error);
  } catch (thrown) {
    return { name: 'Error', message: `an error that cannot be read (${typeof thrown})` };
  }
}

function recordChain(error: unknown): ErrorRecord {
  if (typeof error !== 'object' || error === null)
    return { name: typeof error, message: clip(String(error), MAX_LENGTH) };
  const chain: FailureLink[] = [];
  walkFailure(error, (link, depth) => {
    // Of what an aggregate holds, the first stands for all.
    if (depth < chain.length || chain.length === MAX_ERRORS) return true;
    chain.push(link);
    return undefined;
  });
  return chain.reduceRight<ErrorRecord | undefined>((cause, link) => recordOf(link, cause), undefined)!;
}

function recordOf({ name, message, code, sqlState }: FailureLink, cause: ErrorRecord | undefined): ErrorRecord {
  const state = typeof sqlState === 'string' ? sqlState : sqlStateOf({ code });
  return {
    name: typeof name === 'string' && name !== '' ? clip(name, MAX_NAME) : 'Error',
    message: typeof message === 'string' ? clip(message, MAX_LENGTH) : '',
    ...(typeof code === 'string' || typeof code === 'number' ? { code: clip(String(code), MAX_NAME) } : {}),
    ...(state === undefined ? {} : { sqlState: clip(state, MAX_NAME) }),
    ...(cause && { cause }),
  };
}

function clip(text: string, maxLength: number): string {
  // Redacted as a whole: half a connection string would not be recognised.
  const redacted = redactText(text);
  return redacted.length > maxLength ? `${redacted.slice(0, maxLength)}…` : redacted;
}
