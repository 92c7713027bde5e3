import { destination as open, pino, stdSerializers, stdTimeFunctions } from 'pino';
import { having, type OptionsOf, oneOf, readOptions } from '../primitives/options.js';
import { printableLines } from '../primitives/printable.js';
import { redactJson } from '../primitives/redactJson.js';

/** The part of a logger that Sluice uses; pino's loggers have it. */
export interface Logger {
  debug(fields: object, message?: string): void;
  info(fields: object, message?: string): void;
  warn(fields: object, message?: string): void;
  error(fields: object, message?: string): void;
  /** A logger that adds these fields to every line. */
  child(fields: object): Logger;
}

/** The levels of a log, from nothing to everything. */
export const LOG_LEVELS = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;

/** One of {@link LOG_LEVELS}. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Receives lines of JSON, each with its line break. */
export interface LogDestination {
  write(line: string): unknown;
}

export interface CreateLoggerConfig {
  /** The least important level that is written. Default `info`. */
  readonly level?: LogLevel;
  /** Default: standard error, written synchronously, so that nothing is lost when the process ends. */
  readonly destination?: LogDestination;
}

const OPTIONS = {
  level: oneOf(LOG_LEVELS).default('info'),
  destination: having('write'),
} satisfies OptionsOf<CreateLoggerConfig>;

/**
 * A logger that writes one line of JSON per entry, without secrets: values named like one (`password`, `apiKey`, `token`,
 * `DATABASE_URL`, …), at any depth, and passwords in messages and errors are replaced before the line is written.
 *
 * @example
 * ```ts
 * import { createLogger } from 'sluice/telemetry';
 *
 * const logger = createLogger({ level: 'debug' });
 * logger.info({ url: 'postgres://me:hunter2@localhost/bars' }, 'connecting');
 * ```
 */
export function createLogger(config: CreateLoggerConfig = {}): Logger {
  const { level, destination = open({ dest: 2, sync: true }) } = readOptions('createLogger', config, OPTIONS);
  const options = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { error: stdSerializers.err, err: stdSerializers.err },
  };
  // Last, after everything that makes up a line: messages, errors with their stacks, fields of children.
  return pino(options, { write: (line: string) => destination.write(printableLines(redactJson(line))) });
}
