import { REDACTED } from '../primitives/redact.js';

/** A text that only {@link reveal} shows: neither `String()`, nor JSON, nor `console.log()`, nor an enumeration of its fields. */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The text itself, for the one who is to use it. */
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

/** A connection string that this does not recognise might have a piece of its password in any place. */
const CONNECTION =
  /^(postgres(?:ql)?:\/\/)([^@/?#\s]*@)?((?:[A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\])(?::\d+)?(?:\/[\w.-]*)?)(\?[^@]*)?$/;

/**
 * The server and the database of a connection string, without user, password and parameters. Only what stands after the
 * last `@` is shown, and nothing of a string that is put together in another way.
 */
export function withoutPassword(url: Secret): string {
  const match = CONNECTION.exec(url.reveal());
  if (!match) return REDACTED;
  const [, scheme, credentials, place, parameters] = match;
  return `${scheme}${credentials ? `${REDACTED}@` : ''}${place}${parameters ? `?${REDACTED}` : ''}`;
}
