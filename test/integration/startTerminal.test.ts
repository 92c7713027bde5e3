import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { freshDatabase } from '../postgres/freshDatabase.js';

const program = fileURLToPath(new URL('../../.build/examples/run-pipeline-to-store.js', import.meta.url));
const database = freshDatabase();
const folder = mkdtempSync(join(tmpdir(), 'sluice-terminal-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The program of util-linux that runs a command at a terminal of its own; that of BSD takes other options. */
const hasTerminal = process.platform === 'linux' && spawnSync('script', ['--version']).status === 0;
const CTRL_C = '\u0003';

/** What a person sees, and the exit code. Each key is pressed once what is before it has been seen. */
function atTerminal(columns: number, args: readonly string[], keys: readonly (readonly [RegExp, string])[], env = {}) {
  return new Promise<{ readonly code: number | null; readonly seen: string }>((resolve, reject) => {
    const command = `stty cols ${columns}; exec ${process.execPath} ${program} ${args.join(' ')}`;
    const { DATABASE_URL: _, ...rest } = process.env;
    const child = spawn('script', ['-qec', command, '/dev/null'], { cwd: folder, env: { ...rest, ...env } });
    let seen = '';
    const left = [...keys];
    child.stdout.on('data', (chunk) => {
      seen += chunk;
      if (left[0]?.[0].test(seen)) child.stdin.write(left.shift()![1]);
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, seen }));
  });
}

describe.skipIf(!hasTerminal)('npm start at a terminal', () => {
  it('ends at a Ctrl-C while the embedded store is created, with a sentence and 130', async () => {
    const args = ['--folder', join(folder, 'pglite')];
    const { code, seen } = await atTerminal(80, args, [[/that takes some seconds/, CTRL_C]]);
    expect(code).toBe(130);
    expect(seen.match(/^SIGINT: .*$/gm)).toEqual(['SIGINT: ended before anything was received']);
    expect(seen).not.toContain('received  ');
  }, 60_000);

  it('drains at one Ctrl-C, takes it for one, and draws a table that fits', async () => {
    const args = ['--provider', 'synthetic', '--count', '100000000', '--symbols', '500'];
    const keys = [[/ written/, CTRL_C]] as const;
    const { code, seen } = await atTerminal(50, args, keys, { DATABASE_URL: database.url });
    expect(code).toBe(0);
    expect(seen.match(/SIGINT: .*$/gm)).toEqual([expect.stringContaining('writing what is held')]);
    expect(seen).toContain('every item is accounted for');
    const table = seen.slice(seen.indexOf('bars of')).trimEnd().split('\r\n');
    expect(table.length).toBeLessThanOrEqual(20);
    expect(table.at(-1)).toMatch(/^… and [\d,]+ more$/);
    for (const line of table) expect(line.length, line).toBeLessThanOrEqual(50);
  }, 60_000);
});
