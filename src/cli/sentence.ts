import { inspect } from 'node:util';
import { isRunError } from '../pipelines/runError.js';
import { redactText } from '../primitives/redact.js';

/** An error for a person: what is wrong and what to do about it, or with `debug` all there is to know. Never a password. */
export function sentence(error: unknown, debug = false): string {
  return redactText(debug ? inspect(error, { depth: 4, breakLength: 120 }) : messageOf(error));
}

/** Node's errors of several addresses have an empty message, and the reasons inside. */
function messageOf(error: unknown): string {
  if (isRunError(error) && error.cause !== undefined) return messageOf(error.cause);
  if (!(error instanceof Error)) return String(error);
  if (error.message) return error.message;
  if (error instanceof AggregateError && error.errors.length > 0) return messageOf(error.errors[0]);
  return error.name;
}
