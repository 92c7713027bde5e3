/** What stands where a secret was. */
export const REDACTED = '[redacted]';

const SECRET_NAME =
  /pass(word|wd|phrase)?$|^pwd$|secret|token|api[-_]?key|private[-_]?key|credential|authorization|cookie|database[-_]?url|connection[-_]?string|^dsn$/i;

/** `scheme://user:password@host`, up to the last `@`: a password may hold one, though it should not. */
const URL_PASSWORD = /([a-z][a-z0-9+.-]{0,20}:\/\/[^\s:/?#]*):\S*@/gi;

/** `password=…`, `apiKey: …` and the like in a text, quoted or not. */
const ASSIGNMENT =
  /((?:pass(?:word|wd|phrase)?|pwd|secret|[a-z]{0,20}token|api[-_]?key|access[-_]?key|authorization|private[-_]?key)["']?\s*[=:]\s*)(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s&,;"'}]+)/gi;

const BEARER = /\b(bearer|authorization: basic)\s+[a-z0-9._~+/=-]{8,}/gi;

/** The text without the secrets that it is seen to hold: passwords in addresses, and what follows the name of a secret. */
export function redactText(text: string): string {
  return text
    .replace(URL_PASSWORD, `$1:${REDACTED}@`)
    .replace(BEARER, `$1 ${REDACTED}`)
    .replace(ASSIGNMENT, `$1${REDACTED}`);
}

/** The same for data, at any depth: what has the name of a secret, and the texts. Plain data as JSON gives it. */
export function redactData(value: unknown): unknown {
  if (typeof value === 'string') return redactText(value);
  if (Array.isArray(value)) return value.map(redactData);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      SECRET_NAME.test(name) && inner !== null && inner !== undefined ? REDACTED : redactData(inner),
    ]),
  );
}
