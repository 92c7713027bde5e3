/**
 * Checks of configuration, made when an operator, source or sink is made. Each throws a `RangeError` that names the
 * option, says what is allowed and quotes the bad value.
 */

function reject(owner: string, option: string, expected: string, value: unknown): never {
  throw new RangeError(`${owner}: ${option} must be ${expected}, got ${quote(value)}`);
}

function quote(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  return String(value);
}

export function requireInteger(
  owner: string,
  option: string,
  value: unknown,
  min = 1,
  max = Number.MAX_SAFE_INTEGER,
): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
    reject(owner, option, `an integer ${range}`, value);
  }
  return value;
}

export function requireNumber(
  owner: string,
  option: string,
  value: unknown,
  min = Number.NEGATIVE_INFINITY,
  max = Number.POSITIVE_INFINITY,
): number {
  if (typeof value !== 'number' || Number.isNaN(value) || value < min || value > max) {
    const from = min === Number.NEGATIVE_INFINITY ? '' : ` of at least ${min}`;
    const to = max === Number.POSITIVE_INFINITY ? '' : `${from ? ' and' : ' of'} at most ${max}`;
    reject(owner, option, `a number${from}${to}`, value);
  }
  return value;
}

/** A time span: finite, in milliseconds. */
export function requireDuration(owner: string, option: string, value: unknown, min = 0): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < min) {
    reject(owner, option, `a finite number of milliseconds of at least ${min}`, value);
  }
  return value;
}

export function requireOneOf<const V extends string>(
  owner: string,
  option: string,
  value: unknown,
  allowed: readonly V[],
): V {
  if (!allowed.includes(value as V)) {
    reject(owner, option, `one of ${allowed.map((word) => JSON.stringify(word)).join(', ')}`, value);
  }
  return value as V;
}

export function requireBoolean(owner: string, option: string, value: unknown): boolean {
  if (typeof value !== 'boolean') reject(owner, option, 'true or false', value);
  return value;
}

/** A string that is not empty. */
export function requireText(owner: string, option: string, value: unknown): string {
  if (typeof value !== 'string' || value === '') reject(owner, option, 'a string that is not empty', value);
  return value;
}

export function requireFunction<F>(owner: string, option: string, value: F): F {
  if (typeof value !== 'function') reject(owner, option, 'a function', value);
  return value;
}

/** A misspelt option would otherwise be a default in disguise. */
export function requireKnownOptions(owner: string, config: unknown, known: readonly string[]): void {
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    reject(owner, 'its configuration', 'an object', config);
  }
  for (const option of Object.keys(config)) {
    if (!known.includes(option)) {
      throw new RangeError(`${owner}: unknown option ${JSON.stringify(option)}; it knows ${known.join(', ')}`);
    }
  }
}
