import { messageOf } from '../../primitives/messageOf.js';
import { REDACTED, redactText } from '../../primitives/redact.js';
import { ConnectionLost, type ProviderError } from '../providerErrors.js';
import { secretSpellings } from '../secretSpellings.js';

/** The text without the secrets of a provider, and without what looks like one. */
export function maskSecrets(text: string, secrets: readonly string[] = []): string {
  let masked = text;
  for (const spelling of secretSpellings(secrets)) masked = masked.replaceAll(spelling, REDACTED);
  return redactText(masked);
}

/** The same of a text whose end was cut off: without what may be the beginning of a secret there. */
export function maskCut(text: string, secrets: readonly string[] = []): string {
  const [longest = ''] = secretSpellings(secrets);
  const masked = maskSecrets(text, secrets);
  return masked.slice(0, Math.max(0, masked.length - longest.length));
}

/** How much of a text is looked at, at least, for the start of it. */
const LOOKED_AT = 4_096;

/** The first characters of a text. It is masked before it is cut: a mask would not know a part of a secret. */
export function maskedStart(text: string, length: number, secrets: readonly string[] = []): string {
  const most = LOOKED_AT + 4 * length;
  const masked = text.length > most ? maskCut(text.slice(0, most), secrets) : maskSecrets(text, secrets);
  return masked.slice(0, length);
}

/** How much of a notice is kept: it comes from outside. */
const MAX_NOTICE = 1_000;

/** What a vendor tells an operator, without secrets. */
export function noticeOf(notice: string, secrets: readonly string[] = []): string {
  return maskedStart(notice, MAX_NOTICE, secrets);
}

/** How deep causes are looked at. */
const MAX_CAUSES = 5;

/**
 * The error of a provider without its secrets, which a vendor may have echoed: in its message and stack, and in those of its causes.
 * It stays the same object, unless that cannot be written to.
 */
export function withoutSecrets<E>(error: E, secrets: readonly string[] = []): E | Error {
  let link: unknown = error;
  try {
    for (let depth = 0; depth < MAX_CAUSES && link instanceof Error; depth += 1) {
      for (const member of ['message', 'stack', 'cause'] as const) maskMember(link, member, secrets);
      link = link.cause;
    }
    return error;
  } catch {
    return maskedError(error, secrets);
  }
}

/** Another error of the same class and code, in place of one that cannot be written to; without its cause. */
function maskedError(error: unknown, secrets: readonly string[]): Error {
  const masked = new Error(maskSecrets(messageOf(error), secrets));
  if (!(error instanceof Error)) return masked;
  for (const name of ['name', 'code', 'retryable', 'retryAfterMs'] as const) {
    const own = Object.getOwnPropertyDescriptor(error, name);
    if (own && 'value' in own) Object.defineProperty(masked, name, { ...own, value: maskElement(own.value, secrets) });
  }
  return Object.setPrototypeOf(masked, Object.getPrototypeOf(error) as object) as Error;
}

function maskMember(error: Error, member: 'message' | 'stack' | 'cause', secrets: readonly string[]): void {
  const value = error[member];
  if (value === undefined || value instanceof Error) return;
  const element = maskElement(value, secrets);
  const text = typeof value === 'string' ? value : textOf(element);
  if (text === undefined) {
    // Nobody can say whether it has a secret.
    Object.defineProperty(error, member, { value: undefined, configurable: true, writable: true });
    return;
  }
  if (element === value && !secretSpellings(secrets).some((spelling) => text.includes(spelling))) return;
  Object.defineProperty(error, member, { value: maskSecrets(text, secrets), configurable: true, writable: true });
}

/** The JSON of a cause; `undefined` if it has none. */
function textOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner));
  } catch {
    return undefined;
  }
}

/** A failure that nobody has described: of a transport, or of a session that threw. */
export function lostBy(provider: string, error: unknown, secrets?: readonly string[]): ProviderError {
  const message = error === undefined ? 'the connection was closed' : messageOf(error);
  return new ConnectionLost(provider, maskSecrets(message, secrets), { cause: error });
}

/**
 * What a vendor sent, without the secrets of a provider: the same value where it has none, else a copy. What has more than
 * `MAX_DEPTH` levels loses those below.
 */
export function maskElement(element: unknown, secrets: readonly string[] = []): unknown {
  const given = secretSpellings(secrets);
  return hasSecret(element, given, 0) ? maskedCopy(element, given, 0) : element;
}

const MAX_DEPTH = 32;

/** Errors have their own mask, and no secret is looked for in bytes. */
function isNested(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !ArrayBuffer.isView(value) && !(value instanceof Error);
}

function hasSecret(value: unknown, secrets: readonly string[], depth: number): boolean {
  if (typeof value === 'string') return secrets.some((secret) => value.includes(secret));
  if (!isNested(value)) return false;
  if (depth > MAX_DEPTH) return true;
  return Object.entries(value).some(
    ([name, inner]) => hasSecret(name, secrets, depth) || hasSecret(inner, secrets, depth + 1),
  );
}

function maskedCopy(value: unknown, secrets: readonly string[], depth: number): unknown {
  const masked = (text: string) => secrets.reduce((left, secret) => left.replaceAll(secret, REDACTED), text);
  if (typeof value === 'string') return masked(value);
  if (!isNested(value)) return value;
  if (depth > MAX_DEPTH) return REDACTED;
  if (Array.isArray(value)) return value.map((inner) => maskedCopy(inner, secrets, depth + 1));
  const entries = Object.entries(value).map(([name, inner]) => [masked(name), maskedCopy(inner, secrets, depth + 1)]);
  return Object.fromEntries(entries);
}
