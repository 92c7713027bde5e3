import { describe, expect, it } from 'vitest';
import { createLogger, type LogLevel } from './createLogger.js';

type Line = Readonly<Record<string, unknown>>;

function logger(level: LogLevel = 'info') {
  const written: string[] = [];
  return {
    logger: createLogger({ level, destination: { write: (line) => written.push(line) } }),
    written,
    lines: () => written.map((line) => JSON.parse(line) as Line),
  };
}

describe('a logger', () => {
  it('writes a line of JSON for each entry that is important enough', () => {
    const { logger: log, written, lines } = logger('warn');
    log.info({ a: 1 }, 'quiet');
    log.warn({ a: 1 }, 'loud');
    log.child({ part: 'p' }).error({ b: [2] }, 'louder');
    expect(written.every((line) => line.endsWith('\n') && line.indexOf('\n') === line.length - 1)).toBe(true);
    expect(lines()).toEqual([
      { level: 'warn', time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/), a: 1, msg: 'loud' },
      { level: 'error', time: expect.any(String), part: 'p', b: [2], msg: 'louder' },
    ]);
  });

  it('writes no secret, wherever it comes from', () => {
    const { logger: log, written } = logger('debug');
    const url = 'postgres://me:hunter2@db/bars';
    const cause = new Error(`refused by ${url}`);
    const error = Object.assign(new Error(`cannot reach ${url}`, { cause }), {
      apiKey: 'hunter2',
      options: { password: 'hunter2' },
    });
    log.info({ DATABASE_URL: url, settings: { database: { password: 'hunter2' }, apiKey: ['hunter2'] } }, `at ${url}`);
    log.error({ error }, 'failed');
    log.error({ err: error });
    log.error(error);
    log.child({ token: 'hunter2', url }).debug({ headers: { authorization: 'Bearer hunter2hunter2' } }, 'asked');
    expect(written).toHaveLength(5);
    expect(written.join('')).not.toContain('hunter2');
    expect(JSON.parse(written[1]!)).toMatchObject({
      error: { type: 'Error', message: expect.stringContaining('cannot reach') },
    });
  });

  it('refuses a level that there is not, and a destination that cannot be written to', () => {
    expect(() => createLogger({ level: 'loud' as LogLevel })).toThrow(/level must be one of .*got "loud"/);
    expect(() => createLogger({ destination: {} as { write(): void } })).toThrow(RangeError);
  });
});
