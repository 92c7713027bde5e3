import { InvalidArgumentError } from 'commander';
import { parseInstant } from '../market/parseInstant.js';

/** The value of an option that is an integer. */
export function integer(min: number, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
      throw new InvalidArgumentError(`It must be an integer ${range}.`);
    }
    return value;
  };
}

/** The value of an option that is a number above 0. */
export function positive(text: string): number {
  const value = Number(text);
  if (!/^(\d+(\.\d*)?|\.\d+)$/.test(text) || !(value > 0) || value === Number.POSITIVE_INFINITY) {
    throw new InvalidArgumentError('It must be a number above 0.');
  }
  return value;
}

/** The value of an option that is a time, in Unix epoch milliseconds. */
export function instant(text: string): number {
  // Of a bare number nobody knows whether it counts seconds or milliseconds.
  const ms = /^\d{8}$|^\d{4}-/.test(text) ? parseInstant(text) : Number.NaN;
  if (Number.isNaN(ms)) {
    throw new InvalidArgumentError(
      'It must be a time such as 2026-01-31 or 2026-01-31T09:30:00Z, in UTC unless it says otherwise.',
    );
  }
  return ms;
}

/** The value of an option that may stand several times. */
export function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}
