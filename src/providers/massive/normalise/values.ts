/** An object of the vendor, of which nothing is known yet. */
export type Raw = Readonly<Record<string, unknown>>;

/** 1973 and 5138: milliseconds in between have 12 to 14 digits, which a time in seconds or nanoseconds has not. */
const MIN_MS = 1e11;
const MAX_MS = 1e14;

export function isMs(value: unknown): value is number {
  return typeof value === 'number' && value >= MIN_MS && value < MAX_MS && Math.floor(value) === value;
}

export function isPrice(value: unknown): value is number {
  return typeof value === 'number' && value > Number.NEGATIVE_INFINITY && value < Number.POSITIVE_INFINITY;
}

/** A size, or a volume. */
export function isAmount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY;
}

export function isCount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && Number.isSafeInteger(value);
}

/** The codes of exchanges and conditions are small integers: their texts are made once. */
const TEXTS: readonly string[] = Array.from({ length: 512 }, (_, code) => String(code));

/** The text of a code; `undefined` if it is none. */
export function codeText(value: unknown): string | undefined {
  if (!isCount(value)) return undefined;
  return TEXTS[value] ?? String(value);
}

/** The texts of a list of codes, `null` where there is none; `undefined` if it is not one. */
export function codeTexts(value: unknown): readonly string[] | null | undefined {
  if (value === undefined || value === null) return null;
  if (!Array.isArray(value)) return undefined;
  const texts: string[] = [];
  for (let at = 0; at < value.length; at += 1) {
    const text = codeText(value[at]);
    if (text === undefined) return undefined;
    texts.push(text);
  }
  return texts;
}

/** The time of receipt as a version, in microseconds. */
export function versionOf(receivedAt: number): number {
  return Math.round(receivedAt * 1_000);
}
