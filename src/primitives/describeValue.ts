import { redactText } from './redact.js';

const MAX_LENGTH = 80;

/** A value in words, as messages quote it. */
export function describeValue(value: unknown, isSecret = false): string {
  if (value === undefined || value === null) return String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'string') return isSecret ? `a ${typeof value}` : clip(String(value));
  return isSecret ? `a string of ${value.length} characters` : clip(redactText(JSON.stringify(value)));
}

/** At most 80 characters of a text, for a message. */
export function clip(text: string): string {
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH - 1)}…` : text;
}
