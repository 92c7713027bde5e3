import { describe, expect, it } from 'vitest';
import { pages, programs, src, tests } from './house.js';
import { type Files, under } from './repository.js';
import * as rules from './rules/code.js';

const outside = (files: Files, ...exceptions: string[]): Files =>
  new Map([...files].filter(([path]) => !exceptions.some((exception) => path.startsWith(exception))));

const timeless = new Map([...under(src, 'src/flow'), ...under(src, 'src/policies'), ...under(src, 'src/operators')]);

// The first of them parses every file, which a busy machine does slowly.
describe('the code', { timeout: 120_000 }, () => {
  it('takes time and chance from outside in flow, policies and operators', () => {
    expect(rules.inAll(timeless, rules.noAmbientTime)).toEqual([]);
  });

  it('does not print, but for the command line', () => {
    expect(rules.inAll(outside(src, 'src/cli/'), rules.noConsole)).toEqual([]);
  });

  it('has no any', () => {
    expect(rules.inAll(new Map([...src, ...programs, ...tests]), rules.noAny)).toEqual([]);
  });

  it('uses no stock operator that queues without bound', () => {
    // The tools for tests record what they see, however much it is.
    expect(rules.inAll(outside(src, 'src/testing/'), rules.noUnboundedQueues)).toEqual([]);
  });

  it('leans on RxJS internals in flow/operateSubscriber.ts and flow/context.ts only', () => {
    const files = outside(src, 'src/flow/operateSubscriber.ts', 'src/flow/context.ts');
    expect(rules.inAll(files, rules.noRxjsInternals)).toEqual([]);
  });

  it('does nothing on import', () => {
    expect(rules.inAll(outside(src, 'src/cli/'), rules.noSideEffects)).toEqual([]);
  });

  it('names what it exports', () => {
    expect(rules.inAll(src, rules.noExportStar)).toEqual([]);
  });

  it('comes in files that can be read in one go', () => {
    expect(rules.inAll(src, rules.notTooLong)).toEqual([]);
  });

  it('comes in files whose names say what is in them', () => {
    expect(rules.inAll(new Map([...src, ...tests, ...programs]), rules.tellingName)).toEqual([]);
  });

  it('is finished, and so are the docs', () => {
    const files = outside(new Map([...src, ...programs, ...tests, ...pages]), 'test/conventions/');
    expect(rules.inAll(files, rules.nothingUnfinished)).toEqual([]);
  });

  it('expects type errors in type tests only', () => {
    const files = outside(new Map([...src, ...programs, ...tests]), 'test/types/', 'test/conventions/');
    expect(rules.inAll(files, rules.noExpectedErrors)).toEqual([]);
  });

  it('skips no test', () => {
    expect(rules.inAll(tests, rules.nothingSkipped)).toEqual([]);
  });
});

describe('the rules fail on', () => {
  type Rule = (path: string, text: string) => string[];

  it.each<[Rule, string]>([
    [rules.noAmbientTime, 'const at = Date.now();'],
    [rules.noAmbientTime, 'const at = new Date();'],
    [rules.noAmbientTime, 'const clock = performance.now;'],
    [rules.noAmbientTime, 'process.hrtime.bigint();'],
    [rules.noAmbientTime, 'process.nextTick(work);'],
    [rules.noAmbientTime, 'setTimeout(() => {}, 5);'],
    [rules.noAmbientTime, 'const later = setImmediate;'],
    [rules.noAmbientTime, 'globalThis.setInterval(work, 5);'],
    [rules.noAmbientTime, 'const { random = Math.random } = config;'],
    [rules.noConsole, "console.log('x');"],
    [rules.noAny, 'function f(x: any) {}'],
    [rules.noAny, 'const x = y as Map<string, any>;'],
    [rules.noUnboundedQueues, "import { concatMap } from 'rxjs';\nconst x = concatMap(f);"],
    [rules.noUnboundedQueues, "import { mergeMap as flat } from 'rxjs/operators';\nconst x = flat(f, 4);"],
    [rules.noUnboundedQueues, "import { ReplaySubject } from 'rxjs';\n// Bounded.\nconst x = new ReplaySubject();"],
    [rules.noRxjsInternals, 'class S extends Subscriber<T> { protected override _next(v: T) {} }'],
    [rules.noRxjsInternals, 'if (subscriber.isStopped) stop();'],
    [rules.noRxjsInternals, 'const below = subscriber.destination;'],
    [rules.noSideEffects, 'registry.set(1, 2);'],
    [rules.noSideEffects, 'if (x) { f(); }'],
    [rules.noExportStar, "export * from './batch.js';"],
    [rules.notTooLong, `${'// why\n'.repeat(301)}`],
    [rules.nothingUnfinished, '// TODO: more'],
    [rules.nothingUnfinished, '// @ts-ignore'],
    [rules.noExpectedErrors, '// @ts-expect-error'],
    [rules.nothingSkipped, "it.skip('x', () => {});"],
    [rules.nothingSkipped, "describe.each([1]).only('x', () => {});"],
  ])('%o: %s', (rule, text) => {
    expect(rule('src/flow/sample.ts', text)).toHaveLength(1);
  });

  it.each<[Rule, string]>([
    [rules.noAmbientTime, "const at = scheduler.now(); // Date.now() would not do\nconst s = 'setTimeout(x)';"],
    [rules.noAmbientTime, 'const when = { setTimeout: 1 }; when.setTimeout; new Dated();'],
    [rules.noConsole, "sink.console; const s = 'console.log';"],
    [rules.noAny, 'const anything: unknown = any();'],
    [rules.noUnboundedQueues, "import { map, merge } from 'rxjs';\nconst x = map(f);"],
    [
      rules.noUnboundedQueues,
      "import { zip } from 'rxjs';\n// Bounded because both sides emit once.\nconst x = zip(a, b);",
    ],
    [rules.noUnboundedQueues, "import { concatMap } from './own.js';\nconst x = concatMap(f);"],
    [
      rules.noRxjsInternals,
      'const { destination } = operation; operation.destination.next(1); this.#operation.destination.complete();',
    ],
    [rules.noRxjsInternals, 'class Line { #next = 1; readonly #destination = 2; }'],
    [rules.noSideEffects, "import './x.js';\nexport {};\nexport const ALL = new Set([1]);\nclass A {}\ninterface B {}"],
    [rules.nothingUnfinished, "const path = 'TODO';"],
    [rules.nothingSkipped, "expect(stream.skip).toBe(1); it.each([1])('x', () => {});"],
  ])('nothing that is right: %o: %s', (rule, text) => {
    expect(rule('src/flow/sample.ts', text)).toEqual([]);
  });

  it.each(['src/flow/utils.ts', 'src/common/gate.ts', 'test/helpers/gate.ts', 'src/flow/helper.test.ts'])(
    'the name %s',
    (path) => {
      expect(rules.tellingName(path, '')).toHaveLength(1);
      expect(rules.tellingName('src/flow/gate.ts', '')).toEqual([]);
    },
  );
});
