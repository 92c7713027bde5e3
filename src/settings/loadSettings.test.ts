import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MAX_LANES } from '../operators/lanes.js';
import { loadSettings, type Settings } from './loadSettings.js';
import { isSettingsError, SettingsError } from './settingsError.js';
import { VARIABLE_NAMES, VARIABLES, type VariableName } from './variables.js';

const of = (env: Record<string, string | undefined>, cwd = '/srv/app') => loadSettings({ env, dotenvFile: false, cwd });

/** The lines of the error, without the head. */
function mistakesOf(load: () => unknown): string[] {
  try {
    load();
  } catch (error) {
    if (!isSettingsError(error)) throw error;
    const [head, ...lines] = error.message.split('\n');
    expect(head).toBe(lines.length === 1 ? 'one setting is wrong:' : `${lines.length} settings are wrong:`);
    expect(lines).toEqual(error.mistakes.map(({ message }) => `  ${message}`));
    return error.mistakes.map(({ message }) => message);
  }
  return [];
}

describe('without any variable', () => {
  it('settings are the documented defaults', () => {
    expect(of({})).toEqual({
      coordinator: { capacity: 10_000, workers: 4, batchSize: 500, lingerMs: 250, eager: true },
      retry: { maxAttempts: 5, initialMs: 50, maxMs: 2_000, multiplier: 2, jitter: 'full' },
      breaker: { window: { kind: 'count', size: 5 }, minimumCalls: 5, failureRate: 1, openMs: 60_000 },
      metricsPort: 9_000,
      deadLetterFolder: '/srv/app/.dlq',
      databaseUrl: undefined,
      origins: Object.fromEntries(VARIABLE_NAMES.map((name) => [name, 'default'])),
      dotenvFile: undefined,
    });
  });

  it('an empty or blank variable counts as not given', () => {
    const blank = Object.fromEntries(VARIABLE_NAMES.map((name, index) => [name, index % 2 ? '' : ' \t']));
    expect(of(blank)).toEqual(of({}));
  });
});

interface Case {
  readonly pick: (settings: Settings) => unknown;
  readonly good: readonly (readonly [text: string, value: unknown])[];
  readonly bad: readonly string[];
  readonly allowed: string;
}

const CASES: Readonly<Record<VariableName, Case>> = {
  MDS_COORDINATOR_CAPACITY: {
    pick: ({ coordinator }) => coordinator.capacity,
    good: [
      ['1', 1],
      [' 25000 ', 25_000],
      ['007', 7],
    ],
    bad: ['0', '-1', '1.5', '1e3', '0x10', '1_000', '10,000', '+5', 'many', 'NaN', 'Infinity', '9007199254740993'],
    allowed: 'an integer of at least 1',
  },
  MDS_COORDINATOR_WORKERS: {
    pick: ({ coordinator }) => coordinator.workers,
    good: [
      ['1', 1],
      ['4096', MAX_LANES],
    ],
    bad: ['0', String(MAX_LANES + 1), '2.0', 'four'],
    allowed: 'an integer from 1 to 4096',
  },
  MDS_COORDINATOR_BATCH_SIZE: {
    pick: ({ coordinator }) => coordinator.batchSize,
    good: [
      ['1', 1],
      ['2000', 2_000],
    ],
    bad: ['0', '-500', '5OO'],
    allowed: 'an integer of at least 1',
  },
  MDS_COORDINATOR_EAGER: {
    pick: ({ coordinator }) => coordinator.eager,
    good: [
      ['true', true],
      ['ON', true],
      ['false', false],
      ['0', false],
    ],
    bad: ['lazy', '0.25'],
    allowed: 'true or false (or yes and no, on and off, 1 and 0)',
  },
  MDS_COORDINATOR_FLUSH_INTERVAL: {
    pick: ({ coordinator }) => coordinator.lingerMs,
    good: [
      ['0.25', 250],
      ['.5', 500],
      ['0', 0],
      ['1.001', 1_001],
      ['2147483', 2_147_483_000],
    ],
    bad: ['-0.25', '250ms', '2147484', '0,25', '.', '1.2.3'],
    allowed: 'a number of seconds from 0 to 2147483',
  },
  MDS_RETRY_MAX_ATTEMPTS: {
    pick: ({ retry }) => retry.maxAttempts,
    good: [
      ['1', 1],
      ['12', 12],
    ],
    bad: ['0', '2.5', 'forever'],
    allowed: 'an integer of at least 1',
  },
  MDS_RETRY_INITIAL_BACKOFF_MS: {
    pick: ({ retry }) => retry.initialMs,
    good: [
      ['0', 0],
      ['12.5', 12.5],
      ['2000', 2_000],
    ],
    bad: ['-1', '50ms', '1e2'],
    allowed: 'a number of milliseconds from 0 to 2147483647',
  },
  MDS_RETRY_MAX_BACKOFF_MS: {
    pick: ({ retry }) => retry.maxMs,
    good: [
      ['50', 50],
      ['2147483647', 2_147_483_647],
    ],
    bad: ['-1', '2147483648', '2s'],
    allowed: 'a number of milliseconds from 0 to 2147483647',
  },
  MDS_RETRY_BACKOFF_MULTIPLIER: {
    pick: ({ retry }) => retry.multiplier,
    good: [
      ['1', 1],
      ['1.5', 1.5],
    ],
    bad: ['0.9', '-2', 'x2', `1${'0'.repeat(400)}`],
    allowed: 'a number of at least 1',
  },
  MDS_RETRY_JITTER: {
    pick: ({ retry }) => retry.jitter,
    good: [
      ['true', 'full'],
      ['Yes', 'full'],
      ['on', 'full'],
      ['1', 'full'],
      ['false', 'none'],
      ['NO', 'none'],
      ['off', 'none'],
      ['0', 'none'],
    ],
    bad: ['full', 'none', '2', 'truee'],
    allowed: 'true or false (or yes and no, on and off, 1 and 0)',
  },
  MDS_CB_FAILURE_THRESHOLD: {
    pick: ({ breaker: { window, minimumCalls, failureRate } }) => ({ window, minimumCalls, failureRate }),
    good: [['3', { window: { kind: 'count', size: 3 }, minimumCalls: 3, failureRate: 1 }]],
    bad: ['0', '-5', '50%', '0.5'],
    allowed: 'an integer of at least 1',
  },
  MDS_CB_HALF_OPEN_AFTER_SEC: {
    pick: ({ breaker }) => breaker.openMs,
    good: [
      ['0.5', 500],
      ['90', 90_000],
    ],
    bad: ['-1', '1m', '2147484'],
    allowed: 'a number of seconds from 0 to 2147483',
  },
  MDS_METRICS_PORT: {
    pick: ({ metricsPort }) => metricsPort,
    good: [
      ['0', 0],
      ['65535', 65_535],
    ],
    bad: ['65536', '-1', ':9000', '90.5'],
    allowed: 'an integer from 0 to 65535',
  },
  MDS_DLQ_DIR: {
    pick: ({ deadLetterFolder }) => deadLetterFolder,
    good: [
      ['letters', '/srv/app/letters'],
      ['../dlq with spaces', '/srv/dlq with spaces'],
      ['/var/lib/dlq', '/var/lib/dlq'],
    ],
    bad: ['a\0b'],
    allowed: 'the path of a folder',
  },
  DATABASE_URL: {
    pick: ({ databaseUrl }) => databaseUrl?.reveal(),
    good: [
      ['postgres://u:p%40ss@db.example:5433/bars', 'postgres://u:p%40ss@db.example:5433/bars'],
      ['postgresql://localhost/bars?sslmode=require', 'postgresql://localhost/bars?sslmode=require'],
      ['postgres:///bars?host=/var/run/postgresql', 'postgres:///bars?host=/var/run/postgresql'],
      ['postgres://u:pw@/bars?host=/var/run/postgresql', 'postgres://u:pw@/bars?host=/var/run/postgresql'],
      ['postgres://u:p ss@h/d', 'postgres://u:p ss@h/d'],
    ],
    bad: ['mysql://u:hunter2@h/d', 'u:hunter2@h', 'postgres://u:hunter2@h:port/d', 'postgres://u:hunter2@h h/d'],
    allowed: 'postgres://user:password@host:port/database',
  },
};

describe.each(Object.entries(CASES))('%s', (name, { pick, good, bad, allowed }) => {
  it.each(good)('%j is %j, from the environment', (text, value) => {
    const settings = of({ [name]: text });
    expect(pick(settings)).toEqual(value);
    expect(settings.origins[name as VariableName]).toBe('environment');
    // Nothing else moves.
    expect(Object.values(settings.origins).filter((origin) => origin !== 'default')).toHaveLength(1);
    const { [name as VariableName]: _, ...origins } = settings.origins;
    expect(new Set(Object.values(origins))).toEqual(new Set(['default']));
  });

  it.each(bad)('%j is refused with its name and what is allowed', (text) => {
    const [mistake, ...others] = mistakesOf(() => of({ [name]: text }));
    expect(others).toEqual([]);
    expect(mistake).toMatch(new RegExp(`^${name} must be `));
    expect(mistake).toContain(`${name} must be ${allowed}`);
    expect(mistake).not.toContain('\n');
    if (name === 'DATABASE_URL') expect(mistake).toMatch(/, got a value that is not shown because it is secret$/);
    else expect(mistake).toContain(`got ${JSON.stringify(text.slice(0, 39)).slice(0, -1)}`);
  });

  it('changes nothing when it is given its default', () => {
    const variable = VARIABLES[name as VariableName];
    if (!('byDefault' in variable)) return expect(name).toBe('DATABASE_URL');
    const settings = of({ [name]: variable.byDefault });
    expect({ ...settings, origins: 0 }).toEqual({ ...of({}), origins: 0 });
  });
});

describe('mistakes', () => {
  it('are reported all at once, a line each', () => {
    const env = Object.fromEntries(Object.entries(CASES).map(([name, { bad }]) => [name, bad[0]]));
    const mistakes = mistakesOf(() => of({ ...env, MDS_RETRY_JITER: 'true' }));
    expect(mistakes).toHaveLength(VARIABLE_NAMES.length + 1);
    for (const name of VARIABLE_NAMES) {
      expect(mistakes.filter((message) => message.startsWith(`${name} must be `))).toHaveLength(1);
    }
  });

  it.each([
    [
      { DATABASE_URL: '"postgres://u:hunter2@h/d"' },
      /^DATABASE_URL is in quotes, which are part of its value: remove them$/,
    ],
    [{ DATABASE_URL: "'postgres://u:hunter2@h/d" }, /^DATABASE_URL is in quotes/],
    [{ DATABASE_URL: 'postgres://u:12/hunter2@h/d' }, /^DATABASE_URL has an @ behind its first .*%2F for a \//],
    [{ DATABASE_URL: 'postgres://u:hunter2@a,b/d' }, /^DATABASE_URL names several hosts/],
    [{ DATABASE_URL: 'host=h password=hunter2' }, /^DATABASE_URL is a list of names and values/],
    [{ MDS_COORDINATOR_WORKERS: '"4"' }, /^MDS_COORDINATOR_WORKERS is in quotes, .*remove them$/],
    [{ MDS_DLQ_DIR: "'letters'" }, /^MDS_DLQ_DIR is in quotes/],
    [{ MDS_DLQ_DIR: '~/letters' }, /^MDS_DLQ_DIR has ~, which only a shell replaces: write the whole path/],
    [{ MDS_DLQ_DIR: '$HOME/letters' }, /^MDS_DLQ_DIR has \$HOME, which only a shell replaces/],
  ] as [Record<string, string>, RegExp][])('say of a usual one what it is: %j', (env, message) => {
    const mistakes = mistakesOf(() => of(env));
    expect(mistakes).toEqual([expect.stringMatching(message)]);
    expect(mistakes[0]).not.toContain('hunter2');
  });

  it('are a SettingsError with a code', () => {
    const load = () => of({ MDS_METRICS_PORT: 'http' });
    expect(load).toThrow(SettingsError);
    expect(load).toThrow(expect.objectContaining({ name: 'SettingsError', code: 'SLUICE_SETTINGS_INVALID' }));
    expect(isSettingsError(new Error('x'))).toBe(false);
    expect(isSettingsError(undefined)).toBe(false);
  });

  it('of options of the function are a RangeError', () => {
    expect(() => loadSettings({ environment: {} } as object)).toThrow(RangeError);
  });

  it('quote long values in part, and URLs not at all', () => {
    expect(mistakesOf(() => of({ MDS_METRICS_PORT: 'x'.repeat(500) }))[0]?.length).toBeLessThan(120);
    const [mistake] = mistakesOf(() => of({ MDS_DLQ_DIR: 'postgres://u:hunter2@h/d' }));
    expect(mistake).toBe(
      'MDS_DLQ_DIR must be the path of a folder, got a URL, which is not shown because it may contain a password',
    );
    expect(mistakesOf(() => of({ MDS_METRICS_PORT: 'a\u001b[2Jb\nc' }))[0]).toContain('got "a\\u001b[2Jb\\nc"');
  });

  it.each([
    [
      { MDS_RETRY_INITIAL_BACKOFF_MS: '3000' },
      'MDS_RETRY_INITIAL_BACKOFF_MS must be at most MDS_RETRY_MAX_BACKOFF_MS, which is 2000 by default, got 3000',
    ],
    [
      { MDS_RETRY_MAX_BACKOFF_MS: '49' },
      'MDS_RETRY_MAX_BACKOFF_MS must be at least MDS_RETRY_INITIAL_BACKOFF_MS, which is 50 by default, got 49',
    ],
    [
      { MDS_RETRY_INITIAL_BACKOFF_MS: '2', MDS_RETRY_MAX_BACKOFF_MS: '1' },
      'MDS_RETRY_INITIAL_BACKOFF_MS must be at most MDS_RETRY_MAX_BACKOFF_MS, which is 1, got 2',
    ],
  ])('hold the waits against each other: %j', (env, message) => {
    expect(mistakesOf(() => of(env))).toEqual([message]);
    // With others, it is still told.
    expect(mistakesOf(() => of({ ...env, MDS_METRICS_PORT: 'x' }))).toContain(message);
  });

  it('of one wait by itself are reported once', () => {
    const env = { MDS_RETRY_INITIAL_BACKOFF_MS: '3000', MDS_RETRY_MAX_BACKOFF_MS: 'x' };
    expect(mistakesOf(() => of(env))).toEqual([expect.stringMatching(/^MDS_RETRY_MAX_BACKOFF_MS must be a number/)]);
    expect(of({ MDS_RETRY_INITIAL_BACKOFF_MS: '70', MDS_RETRY_MAX_BACKOFF_MS: '70' }).retry).toMatchObject({
      initialMs: 70,
      maxMs: 70,
    });
  });
});

describe('a variable that is not known', () => {
  it.each([
    ['MDS_RETRY_JITER', 'MDS_RETRY_JITTER'],
    ['MDS_RETYR_JITTER', 'MDS_RETRY_JITTER'],
    ['mds_metrics_port', 'MDS_METRICS_PORT'],
    ['MDS_WORKERS', 'MDS_COORDINATOR_WORKERS'],
    ['MDS_BATCH_SIZE', 'MDS_COORDINATOR_BATCH_SIZE'],
    ['MDS_COORDINATOR_FLUSH_INTERVAL_MS', 'MDS_COORDINATOR_FLUSH_INTERVAL'],
    ['MDS_RETRY_ATTEMPTS', 'MDS_RETRY_MAX_ATTEMPTS'],
    ['MDS_DLQ_FOLDER', 'MDS_DLQ_DIR'],
    ['MDS_CB_HALF_OPEN_SECONDS', 'MDS_CB_HALF_OPEN_AFTER_SEC'],
  ])('%s is a mistake: did you mean %s?', (name, meant) => {
    expect(mistakesOf(() => of({ [name]: 'hunter2' }))).toEqual([`${name} is not a setting: did you mean ${meant}?`]);
  });

  it('and like no other is one too, and its value is not shown', () => {
    expect(mistakesOf(() => of({ MDS_PASSWORD: 'hunter2' }))).toEqual([
      'MDS_PASSWORD is not a setting: docs/settings.md lists the MDS_ variables',
    ]);
    expect(mistakesOf(() => of({ [`MDS_${'X'.repeat(5_000)}`]: '1' }))[0]?.length).toBeLessThan(200);
  });

  it('is nothing of ours if it does not begin with MDS_', () => {
    expect(of({ MDSX: '1', XMDS_RETRY_JITTER: 'x', PATH: '/bin', PGPASSWORD: 'x' })).toEqual(of({}));
    expect(of({ MDS_UNSET: undefined })).toEqual(of({}));
  });
});

describe('a .env file', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-settings-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const dotenv = (text: string, name = '.env') => writeFileSync(join(folder, name), text);
  const load = (env: Record<string, string> = {}) => loadSettings({ env, cwd: folder });

  it('gives what the environment does not', () => {
    dotenv(
      '\uFEFFMDS_COORDINATOR_WORKERS=7\n# MDS_RETRY_JITTER=x\nexport MDS_DLQ_DIR="dead letters" # why\nOTHER=1\nMDS_METRICS_PORT=1\r\n',
    );
    const settings = load({ MDS_METRICS_PORT: '2' });
    expect(settings.coordinator.workers).toBe(7);
    expect(settings.deadLetterFolder).toBe(join(folder, 'dead letters'));
    expect(settings.metricsPort).toBe(2);
    expect(settings.origins).toMatchObject({
      MDS_COORDINATOR_WORKERS: 'dotenv',
      MDS_DLQ_DIR: 'dotenv',
      MDS_METRICS_PORT: 'environment',
      MDS_RETRY_JITTER: 'default',
    });
    expect(settings.dotenvFile).toBe(join(folder, '.env'));
    expect(process.env.MDS_COORDINATOR_WORKERS).toBeUndefined();
  });

  it('is taken back to the default by an empty variable of the environment', () => {
    dotenv('DATABASE_URL=postgres://h/d\nMDS_METRICS_PORT=1');
    expect(load().databaseUrl?.reveal()).toBe('postgres://h/d');
    const settings = load({ DATABASE_URL: '', MDS_METRICS_PORT: '' });
    expect(settings.databaseUrl).toBeUndefined();
    expect(settings.metricsPort).toBe(9_000);
    expect(settings.origins.MDS_METRICS_PORT).toBe('default');
  });

  it('sets the batching as the environment does', () => {
    dotenv('MDS_COORDINATOR_EAGER=no\nMDS_COORDINATOR_FLUSH_INTERVAL=0.1');
    expect(load().coordinator).toMatchObject({ lingerMs: 100, eager: false });
  });

  it('has its mistakes reported with those of the environment, and where they are', () => {
    dotenv('MDS_COORDINATOR_WORKERS=0\nMDS_RETRY_JITER=1\nMDS_DLQ_DIR');
    const path = join(folder, '.env');
    expect(mistakesOf(() => load({ MDS_METRICS_PORT: 'x' })).sort()).toEqual([
      'MDS_COORDINATOR_WORKERS must be an integer from 1 to 4096, got "0"',
      `MDS_DLQ_DIR in ${path}:3 cannot be parsed: write MDS_DLQ_DIR=value`,
      'MDS_METRICS_PORT must be an integer from 0 to 65535, got "x"',
      `MDS_RETRY_JITER in ${path} is not a setting: did you mean MDS_RETRY_JITTER?`,
    ]);
  });

  it.each(['MDS_METRICS_PORT: 9001\nMDS_DLQ_DIR=x', 'MDS_METRICS_PORT 9001', 'export MDS_METRICS_PORT'])(
    'is not passed over where a line is not read: %j',
    (text) => {
      dotenv(text);
      expect(mistakesOf(load)).toContain(
        `MDS_METRICS_PORT in ${join(folder, '.env')}:1 cannot be parsed: write MDS_METRICS_PORT=value`,
      );
    },
  );

  it('is not cut off at a # that was meant', () => {
    dotenv('DATABASE_URL=postgres://u:12#hunter2@h/d\nMDS_DLQ_DIR=letters#1\nMDS_METRICS_PORT=1 # one\n');
    const path = join(folder, '.env');
    expect(mistakesOf(load)).toEqual([
      `DATABASE_URL in ${path}:1 is cut off at its #, which begins a comment: write the value in quotes`,
      `MDS_DLQ_DIR in ${path}:2 is cut off at its #, which begins a comment: write the value in quotes`,
    ]);
    dotenv('MDS_DLQ_DIR="letters#1"\nMDS_METRICS_PORT=1# one\n');
    expect(mistakesOf(load)).toHaveLength(1);
  });

  it('may have such a line in a value', () => {
    dotenv('NOTE="two lines\nMDS_METRICS_PORT: 9001"\n');
    expect(load().metricsPort).toBe(9_000);
  });

  it('need not be there, unless it is named', () => {
    expect(load().dotenvFile).toBeUndefined();
    const named = () => loadSettings({ env: {}, cwd: folder, dotenvFile: 'prod.env' });
    const path = join(folder, 'prod.env');
    expect(mistakesOf(named)).toEqual([`${path} does not exist: expected a file of NAME=value lines`]);
    dotenv('MDS_METRICS_PORT=1', 'prod.env');
    expect(named().metricsPort).toBe(1);
    mkdirSync(join(folder, '.env'));
    expect(mistakesOf(load)).toEqual([
      `${join(folder, '.env')} cannot be read (EISDIR): expected a file of NAME=value lines`,
    ]);
  });

  it('is not read where that is not wanted', () => {
    dotenv('MDS_METRICS_PORT=1');
    expect(loadSettings({ env: {}, cwd: folder, dotenvFile: false }).metricsPort).toBe(9_000);
  });
});
