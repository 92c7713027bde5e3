import { destination as open, pino, stdSerializers, stdTimeFunctions } from 'pino';
import { redactData, redactText } from '../primitives/redact.js';
import { requireFunction, requireKnownOptions, requireOneOf } from '../primitives/validate.js';

/** As much of a logger as the framework uses; pino's has it. */
export interface Logger {
  debug(fields: object, message?: string): void;
  info(fields: object, message?: string): void;
  warn(fields: object, message?: string): void;
  error(fields: object, message?: string): void;
  /** A logger whose every line has these fields too. */
  child(fields: object): Logger;
}

export const LOG_LEVELS = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Where lines of JSON go, each with its line break. */
export interface LogDestination {
  write(line: string): unknown;
}

export interface CreateLoggerConfig {
  /** What is less important than this is not written. Default `info`. */
  readonly level?: LogLevel;
  /** Default: standard error, at once, so that nothing is lost when the process ends. */
  readonly destination?: LogDestination;
}

/**
 * A logger that writes a line of JSON for each entry, and no secret: what has the name of one (`password`, `apiKey`, `token`,
 * `DATABASE_URL`, …), at any depth, and passwords in the text of messages and errors are replaced before the line is written.
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
  const owner = 'createLogger';
  requireKnownOptions(owner, config, ['level', 'destination']);
  const { destination: given } = config;
  const level = requireOneOf(owner, 'level', config.level ?? 'info', LOG_LEVELS);
  if (given) requireFunction(owner, 'the write of its destination', given.write);
  const destination: LogDestination = given ?? open({ dest: 2, sync: true });
  const options = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { error: stdSerializers.err, err: stdSerializers.err },
  };
  // At the very end, past everything that makes up a line: messages, errors and their stacks, fields of children.
  return pino(options, { write: (line: string) => destination.write(redactLine(line)) });
}

function redactLine(line: string): string {
  try {
    return `${JSON.stringify(redactData(JSON.parse(line)))}\n`;
  } catch {
    return redactText(line);
  }
}
