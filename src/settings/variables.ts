import * as Option from 'effect/Option';
import * as Schema from 'effect/Schema';
import { CONNECTION_STRING, connectionStringProblem, NO_CONNECTION_STRING } from '../primitives/connectionString.js';
import { MAX_TIMER_MS } from '../primitives/timer.js';
import { unexpandedPathProblem } from '../primitives/unexpandedPath.js';

const MAX_TIMER_S = Math.floor(MAX_TIMER_MS / 1_000);

/** The limit of `lanes()`, which runs the workers of a coordinator. */
const MAX_WORKERS = 4_096;

const ANY = Number.MAX_SAFE_INTEGER;

/** Holds no type of Effect, which users of the declarations would have to compile. */
export interface Form<V> {
  /** Decodes the text of the environment; `undefined` if it is invalid. */
  decode(text: string): V | undefined;
  /** Says for humans what is valid: completes the sentence "it must be …". */
  readonly allowed: string;
  /** Says of some invalid texts what is wrong with them, after the name of the variable. Quotes nothing of a secret. */
  complaint?(text: string): string | undefined;
}

function form<V>(schema: Schema.ConstraintDecoder<V>, allowed: string): Form<V> {
  const decode = Schema.decodeUnknownOption(schema);
  return { decode: (text) => Option.getOrUndefined(decode(text)), allowed };
}

/** Digits only: `1e3`, `0x10` and `1_000` are more likely to be mistakes than numbers. */
function numeric(digits: RegExp, what: string, minimum: number, maximum: number) {
  const value = Schema.FiniteFromString.check(Schema.isBetween({ minimum, maximum }));
  const schema = Schema.String.check(Schema.isPattern(digits)).pipe(Schema.decodeTo(value));
  return form(schema, `${what} ${maximum === ANY ? `of at least ${minimum}` : `from ${minimum} to ${maximum}`}`);
}

function integer(minimum: number, maximum = ANY) {
  return numeric(/^-?\d+$/, 'an integer', minimum, maximum);
}

function decimal(minimum: number, maximum = ANY, what = 'a number') {
  return numeric(/^-?(\d+(\.\d*)?|\.\d+)$/, what, minimum, maximum);
}

/** At least one of what the unit names. */
function count(unit: string, maximum = ANY) {
  return { ...integer(1, maximum), unit };
}

function seconds() {
  return { ...decimal(0, MAX_TIMER_S, 'a number of seconds'), unit: 's' };
}

function milliseconds() {
  return { ...decimal(0, MAX_TIMER_MS, 'a number of milliseconds'), unit: 'ms' };
}

function yesOrNo() {
  return form(
    Schema.String.check(Schema.isPattern(/^(true|1|yes|on|false|0|no|off)$/i)),
    'true or false (or yes and no, on and off, 1 and 0)',
  );
}

function folder(): Form<string> {
  const path = form(
    Schema.String.check(
      // A connection string given by mistake would create a folder of that name, password included.
      Schema.isPattern(/^(?!.*:\/\/)[^\0]+$/s),
      Schema.makeFilter((text) => unexpandedPathProblem(text) === undefined),
    ),
    'the path of a folder',
  );
  return { ...path, complaint: unexpandedPathProblem };
}

function connectionString(): Form<string> {
  const url = form(
    Schema.String.check(Schema.makeFilter((text) => connectionStringProblem(text) === undefined)),
    `${CONNECTION_STRING}, with %40 for an @, %2F for a /, %3A for a : and %25 for a % in the password`,
  );
  const complaint = (text: string) => {
    const problem = connectionStringProblem(text);
    return problem === NO_CONNECTION_STRING ? undefined : problem;
  };
  return { ...url, complaint };
}

/** Everything about a variable but the form of its text. */
export interface Variable {
  /** What it sets, for humans. */
  readonly meaning: string;
  /** The path of its value in `Settings`. */
  readonly setting: string;
  readonly unit?: string;
  /** As it would be written in the environment. Setting it changes nothing. */
  readonly byDefault?: string;
  /** Its text is never shown. */
  readonly isSecret?: true;
}

/** Every variable that is read, in display order. */
export const VARIABLES = {
  MDS_COORDINATOR_CAPACITY: {
    ...count('items'),
    meaning: 'how many items may wait for the workers',
    setting: 'coordinator.capacity',
    byDefault: '10000',
  },
  MDS_COORDINATOR_WORKERS: {
    ...count('writers', MAX_WORKERS),
    meaning: 'how many writers run in parallel',
    setting: 'coordinator.workers',
    byDefault: '4',
  },
  MDS_COORDINATOR_BATCH_SIZE: {
    ...count('items'),
    meaning: 'the maximum number of items per write',
    setting: 'coordinator.batchSize',
    byDefault: '500',
  },
  MDS_COORDINATOR_EAGER: {
    ...yesOrNo(),
    meaning: 'whether a batch is written as soon as a writer is idle, however small it is',
    setting: 'coordinator.eager',
    byDefault: 'true',
  },
  MDS_COORDINATOR_FLUSH_INTERVAL: {
    ...seconds(),
    meaning: 'how long a batch waits to fill up where batches are not eager',
    setting: 'coordinator.lingerMs',
    byDefault: '0.25',
  },
  MDS_RETRY_MAX_ATTEMPTS: {
    ...count('attempts'),
    meaning: 'how often a write is attempted in total',
    setting: 'retry.maxAttempts',
    byDefault: '5',
  },
  MDS_RETRY_INITIAL_BACKOFF_MS: {
    ...milliseconds(),
    meaning: 'the wait before the second attempt',
    setting: 'retry.initialMs',
    byDefault: '50',
  },
  MDS_RETRY_MAX_BACKOFF_MS: {
    ...milliseconds(),
    meaning: 'the longest wait between two attempts',
    setting: 'retry.maxMs',
    byDefault: '2000',
  },
  MDS_RETRY_BACKOFF_MULTIPLIER: {
    ...decimal(1),
    meaning: 'the factor by which each wait grows',
    setting: 'retry.multiplier',
    byDefault: '2',
  },
  MDS_RETRY_JITTER: {
    ...yesOrNo(),
    meaning: 'whether each wait is randomised, so that workers do not retry in lockstep',
    setting: 'retry.jitter',
    byDefault: 'true',
  },
  MDS_CB_FAILURE_THRESHOLD: {
    ...count('writes'),
    meaning: 'how many failed writes in a row open the circuit breaker',
    setting: 'breaker.minimumCalls',
    byDefault: '5',
  },
  MDS_CB_HALF_OPEN_AFTER_SEC: {
    ...seconds(),
    meaning: 'the longest that the circuit breaker stays open before a write probes the store; at first it is a second',
    setting: 'breaker.openMs',
    byDefault: '60',
  },
  MDS_METRICS_PORT: {
    ...integer(0, 65_535),
    meaning: 'the port that serves metrics and health; 0 for any free port',
    setting: 'metricsPort',
    byDefault: '9000',
  },
  MDS_DLQ_DIR: {
    ...folder(),
    meaning: 'the dead-letter folder',
    setting: 'deadLetterFolder',
    byDefault: '.dlq',
  },
  DATABASE_URL: {
    ...connectionString(),
    meaning: 'the Postgres server; without it, the store is embedded in a folder',
    setting: 'databaseUrl',
    isSecret: true,
  },
} as const satisfies Readonly<Record<string, Variable & Form<unknown>>>;

/** The name of a variable that the settings are read from. */
export type VariableName = keyof typeof VARIABLES;

export const VARIABLE_NAMES = Object.keys(VARIABLES) as readonly VariableName[];
