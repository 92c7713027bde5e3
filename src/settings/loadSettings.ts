import { resolve } from 'node:path';
import { type OptionsOf, readOptions, text, unchecked } from '../primitives/options.js';
import { type Environment, readVariables, type SettingOrigin } from './readVariables.js';
import { Secret } from './secret.js';
import { SettingsError, type SettingsMistake } from './settingsError.js';
import { type Form, VARIABLE_NAMES, VARIABLES, type Variable, type VariableName } from './variables.js';

/** The settings of a program, in the shapes that operators take. */
export interface Settings {
  /** For `writeCoordinator(sink, { ...settings.coordinator, … })`. */
  readonly coordinator: {
    readonly capacity: number;
    readonly workers: number;
    readonly batchSize: number;
    /** How long a batch waits to fill up where `eager` is false. */
    readonly lingerMs: number;
    readonly eager: boolean;
  };
  /** For `policies.retry`. */
  readonly retry: {
    readonly maxAttempts: number;
    readonly initialMs: number;
    readonly maxMs: number;
    readonly multiplier: number;
    readonly jitter: 'full' | 'none';
  };
  /** For `policies.breaker`, or for a `CircuitBreaker` of your own. It opens when a whole window of writes has failed. */
  readonly breaker: {
    readonly window: { readonly kind: 'count'; readonly size: number };
    readonly minimumCalls: number;
    readonly failureRate: number;
    readonly openMs: number;
  };
  /** The port that serves metrics and health; 0 for any free port. */
  readonly metricsPort: number;
  /** The absolute path of the dead-letter folder. */
  readonly deadLetterFolder: string;
  /** For `openStore({ databaseUrl: settings.databaseUrl?.reveal() })`. */
  readonly databaseUrl: Secret | undefined;
  /** Where the value of each variable came from. */
  readonly origins: Readonly<Record<VariableName, SettingOrigin>>;
  /** The `.env` file that was read, if one was. */
  readonly dotenvFile: string | undefined;
}

export interface LoadSettingsConfig {
  /** Default `process.env`. */
  readonly env?: Environment;
  /**
   * A file of `NAME=value` lines; the environment wins over it. Default: `.env` in `cwd`, if it exists. A file that is named
   * must exist. `false` reads no file.
   */
  readonly dotenvFile?: string | false;
  /** The folder that relative paths start from. Default: that of the process. */
  readonly cwd?: string;
}

type Values = {
  readonly [K in Exclude<VariableName, 'DATABASE_URL'>]: NonNullable<ReturnType<(typeof VARIABLES)[K]['decode']>>;
} & { readonly DATABASE_URL: string | undefined };

const OPTIONS = {
  env: unchecked(),
  dotenvFile: text().or(false),
  cwd: text(),
} satisfies OptionsOf<LoadSettingsConfig>;

/**
 * Reads the settings of a program from its environment and `.env`, and checks all of them.
 *
 * An empty variable counts as not given, and giving a variable its default changes nothing. Mistakes, unknown `MDS_…`
 * variables included, are reported together by one `SettingsError` with a line for each. No message contains a secret.
 *
 * @example
 * ```ts
 * import { loadSettings } from 'sluice/settings';
 * import { writeCoordinator } from 'sluice/operators';
 * import { barsSink, openStore } from 'sluice/sinks';
 *
 * const { coordinator, retry, breaker, databaseUrl } = loadSettings();
 * const store = await openStore({ databaseUrl: databaseUrl?.reveal(), poolSize: coordinator.workers });
 * const write = writeCoordinator(barsSink(store.pool), { ...coordinator, policies: { retry, breaker } });
 * ```
 */
export function loadSettings(config: LoadSettingsConfig = {}): Settings {
  const options = readOptions('loadSettings', config, OPTIONS);
  const { env = process.env, cwd = process.cwd() } = options;
  const { given, dotenvFile, mistakes } = readVariables(env, cwd, options.dotenvFile);

  const bad = new Set<VariableName>();
  const decoded = VARIABLE_NAMES.map((name) => {
    const { decode, byDefault }: Variable & Form<unknown> = VARIABLES[name];
    const text = given.get(name)?.text;
    const value = text === undefined || isQuoted(text) ? undefined : decode(text);
    if (text !== undefined && value === undefined) bad.add(name);
    // The default also stands in for what is wrong, so that the others can be checked against it.
    return [name, value ?? (byDefault === undefined ? undefined : decode(byDefault))];
  });
  const values = Object.fromEntries(decoded) as Values;
  const all = [
    ...mistakes,
    ...[...bad].map((name) => badValue(name, given.get(name)?.text ?? '')),
    ...contradictions(values, bad, given),
  ];
  if (all.length > 0) throw new SettingsError(all);

  const threshold = values.MDS_CB_FAILURE_THRESHOLD;
  const origins = VARIABLE_NAMES.map((name) => [name, given.get(name)?.origin ?? 'default']);
  return {
    coordinator: {
      capacity: values.MDS_COORDINATOR_CAPACITY,
      workers: values.MDS_COORDINATOR_WORKERS,
      batchSize: values.MDS_COORDINATOR_BATCH_SIZE,
      lingerMs: milliseconds(values.MDS_COORDINATOR_FLUSH_INTERVAL),
      eager: isYes(values.MDS_COORDINATOR_EAGER),
    },
    retry: {
      maxAttempts: values.MDS_RETRY_MAX_ATTEMPTS,
      initialMs: values.MDS_RETRY_INITIAL_BACKOFF_MS,
      maxMs: values.MDS_RETRY_MAX_BACKOFF_MS,
      multiplier: values.MDS_RETRY_BACKOFF_MULTIPLIER,
      jitter: isYes(values.MDS_RETRY_JITTER) ? 'full' : 'none',
    },
    breaker: {
      window: { kind: 'count', size: threshold },
      minimumCalls: threshold,
      failureRate: 1,
      openMs: milliseconds(values.MDS_CB_HALF_OPEN_AFTER_SEC),
    },
    metricsPort: values.MDS_METRICS_PORT,
    deadLetterFolder: resolve(cwd, values.MDS_DLQ_DIR),
    databaseUrl: values.DATABASE_URL === undefined ? undefined : new Secret(values.DATABASE_URL),
    origins: Object.fromEntries(origins) as Record<VariableName, SettingOrigin>,
    dotenvFile,
  };
}

function badValue(name: VariableName, text: string): SettingsMistake {
  const { allowed, isSecret, complaint }: Variable & Form<unknown> = VARIABLES[name];
  const found = isQuoted(text) ? 'is in quotes, which are part of its value: remove them' : complaint?.(text);
  if (found !== undefined) return { variable: name, message: `${name} ${found}` };
  const got = isSecret ? 'a value that is not shown because it is secret' : quote(text);
  return { variable: name, message: `${name} must be ${allowed}, got ${got}` };
}

/** A shell removes quotes; Docker's `--env-file` and a Kubernetes manifest keep them. */
function isQuoted(text: string): boolean {
  return /^(["'`]).*\1$/s.test(text);
}

const MAX_QUOTE = 40;

/** A connection string may have been assigned to the wrong variable. */
function quote(text: string): string {
  if (text.includes('://')) return 'a URL, which is not shown because it may contain a password';
  return JSON.stringify(text.length > MAX_QUOTE ? `${text.slice(0, MAX_QUOTE - 1)}…` : text);
}

/** Values that are valid by themselves, but not together. */
function contradictions(
  values: Values,
  bad: ReadonlySet<string>,
  given: ReadonlyMap<string, unknown>,
): SettingsMistake[] {
  const [initial, max] = ['MDS_RETRY_INITIAL_BACKOFF_MS', 'MDS_RETRY_MAX_BACKOFF_MS'] as const;
  if (bad.has(initial) || bad.has(max) || values[initial] <= values[max]) return [];
  // Blames the one that was given, or the first if both were.
  const [variable, bound, other] = given.has(initial) ? [initial, 'at most', max] : [max, 'at least', initial];
  const message = `${variable} must be ${bound} ${other}, which is ${values[other]}${given.has(other) ? '' : ' by default'}, got ${values[variable]}`;
  return [{ variable, message }];
}

function isYes(text: string): boolean {
  return /^(true|1|yes|on)$/i.test(text);
}

/** Rounded to microseconds: 1.001 s is 1,001 ms rather than 1,000.9999999999999. */
function milliseconds(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e3;
}
