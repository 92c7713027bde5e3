import { REDACTED, redactText } from '../../primitives/redact.js';
import { redactJson } from '../../primitives/redactJson.js';
import { secretSpellings } from '../secretSpellings.js';
import type { Frame } from '../session.js';

/** A shorter secret is masked only in what is sent: in data it would be found by chance. */
const MIN_LENGTH = 4;

/** A member of an object whose name may be that of a secret: a frame of the vendor without any is left as it came. */
const SECRET_MEMBER =
  /"[^"\\]{0,64}(?:pass|pwd|secret|token|key|credential|authori|cookie|jwt|dsn)[^"\\]{0,24}"\s{0,8}:/i;

/** Found five times faster, and missing in most frames. */
const HINT = /pass|pwd|secret|token|key|credential|authori|cookie|jwt|dsn/i;

const ASTERISK = 0x2a;

/**
 * Takes secrets out of frames: those of the provider wherever they stand, also as JSON, a URL or base64 would spell them, and
 * the values of whatever is named like one. In bytes a mask is as long as what it covers, so that counted lengths stay true.
 */
export class FrameMask {
  readonly #always: readonly string[];
  readonly #sent: readonly string[];
  readonly #alwaysBytes: readonly Buffer[];
  readonly #sentBytes: readonly Buffer[];

  constructor(secrets: readonly string[]) {
    this.#sent = secretSpellings(secrets);
    this.#always = this.#sent.filter(({ length }) => length >= MIN_LENGTH);
    this.#sentBytes = this.#sent.map((secret) => Buffer.from(secret));
    this.#alwaysBytes = this.#always.map((secret) => Buffer.from(secret));
  }

  mask(frame: Frame, isSent: boolean): Frame {
    return typeof frame === 'string' ? this.#text(frame, isSent) : this.#bytes(frame, isSent);
  }

  #text(frame: string, isSent: boolean): string {
    let masked = frame;
    for (const secret of isSent ? this.#sent : this.#always) {
      if (masked.includes(secret)) masked = masked.replaceAll(secret, REDACTED);
    }
    if (!isJson(masked.charCodeAt(0))) return redactText(masked);
    return isSent || (HINT.test(masked) && SECRET_MEMBER.test(masked)) ? redactJson(masked) : masked;
  }

  #bytes(frame: Uint8Array, isSent: boolean): Uint8Array {
    let masked = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
    if (isJson(masked[0])) {
      const text = masked.toString();
      const clean = this.#text(text, isSent);
      if (clean !== text) return Buffer.from(clean);
    }
    for (const secret of isSent ? this.#sentBytes : this.#alwaysBytes) {
      for (let at = masked.indexOf(secret); at >= 0; at = masked.indexOf(secret, at + secret.length)) {
        // The frame belongs to the transport.
        if (masked.buffer === frame.buffer) masked = Buffer.from(masked);
        masked.fill(ASTERISK, at, at + secret.length);
      }
    }
    return masked;
  }
}

/** Whether a frame that begins so is an object or an array. */
function isJson(first: number | undefined): boolean {
  return first === 0x7b || first === 0x5b;
}
