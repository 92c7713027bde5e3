import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs a program against the package as compiled by `npm run programs`, and gives what it says on standard error. */
function failing(program: string): Promise<{ readonly code: unknown; readonly stderr: string }> {
  const text = `
    import { throwError } from 'rxjs';
    import { run } from 'sluice/pipelines';
    import { batch, writeTo } from 'sluice/operators';
    import { fromIterable } from 'sluice/sources';
    class ShopError extends Error { name = 'ShopError'; code = 'SHOP_CLOSED'; failureClass = 'fatal'; }
    const driver = Object.assign(new Error('connect failed: password=hunter2'), {
      code: 'ECONNREFUSED',
      request: { deep: { deeper: { list: Array.from({ length: 90 }, (_, i) => ({ i })) } } },
    });
    const sink = { name: 'shop', write: () => throwError(() => new ShopError('the shop is closed:\\u001b[2J open it', { cause: driver })) };
    const outcomes$ = fromIterable(Array.from({ length: 1200 }, (_, i) => i)).pipe(batch({ size: 1200 }), writeTo(sink));
    ${program}`;
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['--input-type=module', '-e', text],
      { cwd: root },
      (_error, _stdout, stderr) => {
        resolve({ code: child.exitCode, stderr });
      },
    );
  });
}

describe('an error of a run that nobody catches', () => {
  it.each([
    ['at the top level of a module', 'await run(outcomes$);'],
    ['in a function that nobody waits for', 'async function main() { await run(outcomes$); }\nmain();'],
  ])('is about ten lines with the sentence, the causes, the account and what to do: %s', async (_, program) => {
    const { code, stderr } = await failing(program);
    expect(code).toBe(1);
    const lines = stderr.trim().split('\n');
    // Among them the place and the version, which Node adds.
    expect(lines.length).toBeLessThan(22);
    const text = lines.join('\n');
    expect(text).toMatch(
      /^RunError: the pipeline failed: .*the shop is closed:\\u001b\[2J open it \(0 items written, 1,200 held/m,
    );
    expect(text).toMatch(
      /^ +cause +WriteError SLUICE_WRITE_FAILED, caused by ShopError SHOP_CLOSED, caused by Error ECONNREFUSED$/m,
    );
    expect(text).toMatch(/^ +connect failed: password=\*\*\*$/m);
    expect(text).toMatch(/^ +account +received 1,200, written 0, diverted 0, dropped 0, held 1,200 \(lost unless/m);
    expect(text).toMatch(/^ +next +mend the cause and run again/m);
    expect(text).not.toMatch(/hunter2|deeper|divertedBy/);
    expect(text).not.toContain('\u001b[2J');
  });

  it('names the line of the program that threw', async () => {
    const { stderr } = await failing(
      "import { map } from 'rxjs';\nawait run(fromIterable([1]).pipe(map((n) => n.no.such)));",
    );
    expect(stderr).toMatch(/RunError: the pipeline failed: Cannot read properties of undefined \(reading 'such'\)/);
    expect(stderr).toMatch(/^ +at .*\[eval1\]:\d+:\d+/m);
  });
});
