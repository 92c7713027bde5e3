import { inspect } from 'node:util';
import { isRunError } from '../pipelines/runError.js';
import { redactText } from '../primitives/redact.js';

/** Formats an error for humans: its message, or with `debug` its stack and causes. Contains no secrets. */
export function formatError(error: unknown, debug = false): string {
  // A RunError shows a summary.
  const shown = isRunError(error) ? error.cause : error;
  return redactText(debug ? inspect(shown, { depth: 4, breakLength: 120 }) : messageOf(error));
}

/** The AggregateError of a failed connection to several addresses has an empty message; its errors have the reasons. */
function messageOf(error: unknown): string {
  if (isRunError(error) && error.cause !== undefined) return messageOf(error.cause);
  if (!(error instanceof Error)) return String(error);
  if (error.message) return error.message;
  if (error instanceof AggregateError && error.errors.length > 0) return messageOf(error.errors[0]);
  return error.name;
}
