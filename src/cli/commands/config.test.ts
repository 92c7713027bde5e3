import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runSluice } from '../../../test/support/fakeTerminal.js';
import { PROVIDERS } from '../../providers/registry.js';
import { VARIABLE_NAMES } from '../../settings/variables.js';

const OF_PROVIDERS = PROVIDERS.flatMap(({ variables }) => variables.map(({ name }) => name));

let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'sluice-config-'));
  writeFileSync(join(cwd, '.env'), 'MDS_COORDINATOR_WORKERS=7\nMDS_METRICS_PORT=1\n');
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const env = { MDS_METRICS_PORT: '9100', DATABASE_URL: 'postgres://mds:hunter2@db.example/bars' };

describe('sluice config', () => {
  it('shows every setting and where it comes from, and no password', async () => {
    const { code, stdout, stderr } = await runSluice(['config'], { env, cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [head, ...rows] = stdout.trimEnd().split('\n');
    expect(head?.split(/ {2,}/)).toEqual(['VARIABLE', 'VALUE', 'FROM']);
    const cells = rows.map((row) => row.split(/ {2,}/));
    expect(cells.map(([name]) => name)).toEqual([...VARIABLE_NAMES, ...OF_PROVIDERS]);
    expect(cells).toContainEqual(['MDS_COORDINATOR_CAPACITY', '10000 items', 'default']);
    expect(cells).toContainEqual(['MDS_COORDINATOR_WORKERS', '7 writers', join(cwd, '.env')]);
    expect(cells).toContainEqual(['MDS_METRICS_PORT', '9100', 'environment']);
    expect(cells).toContainEqual(['DATABASE_URL', 'postgres://***@db.example/bars', 'environment']);
    expect(cells).toContainEqual(['MDS_COORDINATOR_EAGER', 'true', 'default']);
    expect(cells).toContainEqual(['MDS_COORDINATOR_FLUSH_INTERVAL', '0.25 s', 'default (unused: batches are eager)']);
    expect(stdout).not.toContain('hunter2');
  });

  it.each([
    [{ MDS_COORDINATOR_FLUSH_INTERVAL: '0.25' }, / 0\.25 s +environment \(unused: batches are eager\)$/m],
    [{ MDS_COORDINATOR_FLUSH_INTERVAL: '0.1', MDS_COORDINATOR_EAGER: 'false' }, / 0\.1 s +environment$/m],
    [{ MDS_COORDINATOR_EAGER: 'false' }, / 0\.25 s +default$/m],
  ])('says whether the flush interval is in use: %j', async (given, line) => {
    const { stdout } = await runSluice(['config'], { env: given });
    expect(stdout).toMatch(line);
    expect(stdout).toMatch(/^DATABASE_URL +\(none\) +default$/m);
  });

  it('is one JSON document with --json', async () => {
    const { code, stdout } = await runSluice(['config', '--json'], { env, cwd });
    expect(code).toBe(0);
    const { dotenvFile, settings } = JSON.parse(stdout) as { dotenvFile: string; settings: { variable: string }[] };
    expect(dotenvFile).toBe(join(cwd, '.env'));
    expect(settings.map(({ variable }) => variable)).toEqual(VARIABLE_NAMES);
    expect(settings[1]).toEqual({
      variable: 'MDS_COORDINATOR_WORKERS',
      value: 7,
      unit: 'writers',
      origin: 'dotenv',
      meaning: 'how many writers run in parallel',
    });
    expect(stdout).not.toContain('hunter2');
    const bare = JSON.parse((await runSluice(['config', '--json'])).stdout) as Record<string, unknown>;
    expect(bare).toMatchObject({
      dotenvFile: null,
      settings: expect.arrayContaining([
        expect.objectContaining({ variable: 'DATABASE_URL', value: null, unit: null }),
      ]),
    });
  });

  it('shows where the variables of providers are set, and of keys only that they are', async () => {
    const keys = { POLYGON_API_KEY: 'Zq7secret', APCA_API_SECRET_KEY: 'Zq7other', IBKR_PORT: '4002' };
    writeFileSync(join(cwd, 'keys.env'), 'ALPACA_KEY_ID=Zq7inFile\n');
    const config = (...args: string[]) =>
      runSluice(['config', ...args, '--dotenv-file', join(cwd, 'keys.env')], { env: { ...env, ...keys }, cwd });
    const { stdout } = await config();
    expect(stdout).toMatch(/^MASSIVE_API_KEY +\*\*\* +environment \(as POLYGON_API_KEY\)$/m);
    expect(stdout).toMatch(/^ALPACA_KEY_ID +\*\*\* +.*keys\.env$/m);
    expect(stdout).toMatch(/^IBKR_PORT +4002 +environment$/m);
    expect(stdout).toMatch(/^IBKR_HOST +\(none\) +default$/m);
    const json = (await config('--json')).stdout;
    const { providers } = JSON.parse(json) as { providers: { variable: string }[] };
    expect(providers.map(({ variable }) => variable)).toEqual(OF_PROVIDERS);
    expect(providers).toContainEqual({
      ...{ provider: 'alpaca', variable: 'ALPACA_SECRET_KEY', value: '***', origin: 'environment' },
      ...{ setAs: 'APCA_API_SECRET_KEY', isRequired: true, meaning: 'its secret' },
    });
    for (const text of [stdout, json]) expect(text).not.toContain('Zq7');
  });
});
