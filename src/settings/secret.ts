import { REDACTED } from '../primitives/redact.js';

/** A string that only {@link reveal} shows: `String()`, JSON, `console.log()` and its own keys hide it. */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return REDACTED;
  }
}

/** A connection string that does not match might have a part of its password anywhere. */
const CONNECTION =
  /^(postgres(?:ql)?:\/\/)([^@/?#\s]*@)?((?:[A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\])(?::\d+)?(?:\/[\w.-]*)?)(\?[^@]*)?$/;

/** The server and the database of a connection string, or nothing at all if the string has an unexpected form. */
export function withoutPassword(url: Secret): string {
  const match = CONNECTION.exec(url.reveal());
  if (!match) return REDACTED;
  const [, scheme, credentials, place, parameters] = match;
  return `${scheme}${credentials ? `${REDACTED}@` : ''}${place}${parameters ? `?${REDACTED}` : ''}`;
}
