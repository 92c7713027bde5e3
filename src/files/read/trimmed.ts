import { isBlank } from '../../primitives/blanks.js';

/** A text without blanks at its ends, which are no part of a value, and anything else as it is. */
export function trimmed(value: unknown): unknown {
  if (typeof value !== 'string' || value === '') return value;
  return isBlank(value.charCodeAt(0)) || isBlank(value.charCodeAt(value.length - 1)) ? value.trim() : value;
}
