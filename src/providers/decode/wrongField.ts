import { Unreadable } from '../session.js';

/** More of a value than this no person reads. */
const MAX_QUOTED = 80;

/** Says of a field of an element what it must be, and quotes the value that it has. */
export function wrongField(field: string, expected: string, value: unknown): Unreadable {
  const text = value === undefined ? 'nothing' : textOf(value);
  const quoted = text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text;
  return new Unreadable(`${field} must be ${expected}, got ${quoted}`);
}

function textOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? typeof value;
  } catch {
    // Too deep for the stack.
    return Array.isArray(value) ? 'an array' : typeof value;
  }
}
