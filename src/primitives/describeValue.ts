import { printable } from './printable.js';
import { redactText } from './redact.js';

const MAX_LENGTH = 80;

/** A value in words, as messages quote it. */
export function describeValue(value: unknown, isSecret = false): string {
  if (value === undefined || value === null) return String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'string') return isSecret ? `a ${typeof value}` : printable(String(value), MAX_LENGTH);
  return isSecret ? `a string of ${value.length} characters` : printable(redactText(JSON.stringify(value)), MAX_LENGTH);
}
