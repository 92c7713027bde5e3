import { baseName, type Files, lineAt } from '../repository.js';
import { body, importsOf, isNode, nameOf, parse, type SyntaxNode, walk } from '../syntax.js';

type Finding = (path: string, text: string) => string[];

/** Applies `find` to every file. */
export function inAll(files: Files, find: Finding): string[] {
  return [...files].flatMap(([path, text]) => find(path, text));
}

/** Calls `judge` with each node of the file; what it returns is a problem at the node's line. */
function findNodes(
  path: string,
  text: string,
  judge: (node: SyntaxNode, parent: SyntaxNode | undefined) => string | undefined,
): string[] {
  const problems = new Map<number, string>();
  walk(parse(path, text), (node, parent) => {
    const problem = judge(node, parent);
    const line = lineAt(text, node.start);
    // One finding a line is enough to send someone there.
    if (problem && !problems.has(line)) problems.set(line, `${path}:${line}: ${problem}`);
  });
  return [...problems.values()];
}

/** `Date.now` for a member access of two plain names; empty for anything else. */
function dotted(node: SyntaxNode): string {
  if (node.type !== 'MemberExpression' || !isNode(node.object) || !isNode(node.property)) return '';
  return node.object.type === 'Identifier' && !node.computed ? `${nameOf(node.object)}.${nameOf(node.property)}` : '';
}

/** Whether an identifier is only the name of a field or property: `timers.setTimeout`, `{ setTimeout: 1 }`. */
function isOnlyAName(node: SyntaxNode, parent: SyntaxNode | undefined): boolean {
  return (
    (parent?.property === node && !parent.computed) || (parent?.key === node && !parent.computed && !parent.shorthand)
  );
}

const CLOCKS = new Set(['Date.now', 'performance.now', 'process.hrtime', 'process.uptime']);
const TIMERS = new Set(['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'performance']);

/** Time comes from a `SchedulerLike`, chance from a function: both are in the config, so that a test can drive them. */
export const noAmbientTime: Finding = (path, text) =>
  findNodes(path, text, (node, parent) => {
    const access = dotted(node);
    if (CLOCKS.has(access)) return `${access} is the wall clock: read scheduler.now()`;
    if (access === 'process.nextTick') return `${access} is a timer: use a scheduler from the config`;
    if (access === 'Math.random') return 'Math.random is chance: take a `random` function from the config';
    if (access.startsWith('globalThis.') && TIMERS.has(access.slice('globalThis.'.length))) {
      return `${access} is a timer: use a scheduler from the config`;
    }
    const callee = isNode(node.callee) && node.callee.type === 'Identifier' ? nameOf(node.callee) : '';
    if ((node.type === 'NewExpression' || node.type === 'CallExpression') && callee === 'Date') {
      return 'new Date reads the clock: take the time from the scheduler or the item';
    }
    if (node.type === 'Identifier' && TIMERS.has(nameOf(node)) && !isOnlyAName(node, parent)) {
      return `${nameOf(node)} is a timer: use a scheduler from the config`;
    }
    return undefined;
  });

export const noConsole: Finding = (path, text) =>
  findNodes(path, text, (node, parent) =>
    node.type === 'Identifier' && nameOf(node) === 'console' && !isOnlyAName(node, parent)
      ? 'a library does not print: hand it to the caller, or to the logger of the config'
      : undefined,
  );

export const noAny: Finding = (path, text) =>
  findNodes(path, text, (node) => (node.type === 'TSAnyKeyword' ? '`any`: write the type, or `unknown`' : undefined));

/** Stock operators and subjects that queue without bound when what is downstream is slower than what is upstream. */
const UNBOUNDED = new Set([
  'bufferTime',
  'bufferToggle',
  'bufferWhen',
  'combineLatestAll',
  'concatAll',
  'concatMap',
  'concatMapTo',
  'delay',
  'delayWhen',
  'expand',
  'flatMap',
  'mergeAll',
  'mergeMap',
  'mergeMapTo',
  'mergeScan',
  'observeOn',
  'ReplaySubject',
  'shareReplay',
  'toArray',
  'windowTime',
  'zip',
  'zipAll',
  'zipWith',
]);

/** Each use stands on, or right under, a comment that says `Bounded because …`. */
export const noUnboundedQueues: Finding = (path, text) => {
  const here = new Map<string, string>();
  for (const { from, names } of importsOf(parse(path, text))) {
    if (from !== 'rxjs' && from !== 'rxjs/operators') continue;
    for (const [imported, local] of names) if (UNBOUNDED.has(imported)) here.set(local, imported);
  }
  const lines = text.split('\n');
  return findNodes(path, text, (node, parent) => {
    const callee = isNode(node.callee) ? nameOf(node.callee) : '';
    if (node.type === 'ExportSpecifier' && !isNode(parent?.source) && here.has(nameOf(node.local))) {
      return `${nameOf(node.local)} queues without bound`;
    }
    if (!/^(Call|New)Expression$/.test(node.type) || !here.has(callee)) return undefined;
    const size = (node.arguments as readonly SyntaxNode[])[0];
    if (here.get(callee) === 'ReplaySubject' && typeof size?.value === 'number') return undefined;
    const line = lineAt(text, node.start);
    const reasoned = [lines[line - 1], lines[line - 2]].some((one) =>
      /(\/\/|\*).*\bBounded because \w+/.test(one ?? ''),
    );
    return reasoned
      ? undefined
      : `${here.get(callee)} queues without bound: use boundedMergeMap() or a GatedQueue, or say "// Bounded because …" above it`;
  });
};

/** Fields of RxJS's subscribers that its types mark internal. */
const INTERNALS = new Set([
  '_next',
  '_error',
  '_complete',
  '_subscribe',
  '_trySubscribe',
  '_unsubscribe',
  '_finalizers',
  '_teardowns',
  '_parentage',
  'isStopped',
  'initialTeardown',
  'syncErrorThrowable',
  'lift',
]);

/** Who holds a `destination` that is ours: what `operate` gives to an operator. */
const OWN_DESTINATION = /^(operation|this\.#operation|this\.#destination|outlet)$/;

/** Only flow/operateSubscriber.ts and flow/context.ts lean on what RxJS marks internal. */
export const noRxjsInternals: Finding = (path, text) =>
  findNodes(path, text, (node) => {
    const member =
      node.type === 'MemberExpression'
        ? node.property
        : /^(MethodDefinition|PropertyDefinition)$/.test(node.type)
          ? node.key
          : undefined;
    if (!isNode(member) || member.type !== 'Identifier') return undefined;
    const name = nameOf(member);
    if (INTERNALS.has(name))
      return `${name} is internal to RxJS: only src/flow/operateSubscriber.ts and context.ts may touch it`;
    if (name === 'destination' && isNode(node.object)) {
      const owner = text.slice(node.object.start, node.object.end);
      if (!OWN_DESTINATION.test(owner)) {
        return `${owner}.destination is internal to RxJS, unless \`operation.destination\` is meant: only src/flow/operateSubscriber.ts and context.ts may touch it`;
      }
    }
    return undefined;
  });

const DECLARATIONS =
  /^(Import|Export|Function|Class|Variable|TS)\w*Declaration$|^TSDeclareFunction$|^ExportAllDeclaration$/;

/** What `"sideEffects": false` promises: a module that is imported for nothing does nothing. */
export const noSideEffects: Finding = (path, text) =>
  body(parse(path, text))
    .filter((node) => !DECLARATIONS.test(node.type))
    .map((node) => `${path}:${lineAt(text, node.start)}: runs on import, against "sideEffects": false in package.json`);

/** The public face names what it exports. */
export const noExportStar: Finding = (path, text) =>
  findNodes(path, text, (node) =>
    node.type === 'ExportAllDeclaration' ? 'export * hides what is public: name it' : undefined,
  );

export const MAX_FILE = 300;

export const notTooLong: Finding = (path, text) => {
  const lines = text.trimEnd().split('\n').length;
  return lines > MAX_FILE
    ? [`${path} has ${lines} lines, more than ${MAX_FILE}: move a policy to src/policies, or split what it does in two`]
    : [];
};

const EMPTY_NAMES = /^(utils?|helpers?|managers?|misc|common|shared|stuff|handy)$/i;

export const tellingName: Finding = (path) =>
  [...path.split('/').slice(0, -1), baseName(path)].some((part) => EMPTY_NAMES.test(part))
    ? [`${path}: its name says nothing about what is in it`]
    : [];

/** Marks of unfinished work, and comments that switch the compiler off. */
export const nothingUnfinished: Finding = (path, text) =>
  text.split('\n').flatMap((line, index) => {
    const mark =
      /(\/\/|\*|<!--).*\b(TODO|FIXME|XXX|HACK)\b/.exec(line)?.[2] ?? /@ts-(ignore|nocheck)\b/.exec(line)?.[0];
    return mark ? [`${path}:${index + 1}: ${mark}`] : [];
  });

/** Type errors are expected only in type tests, where they are what is tested. */
export const noExpectedErrors: Finding = (path, text) =>
  text
    .split('\n')
    .flatMap((line, index) =>
      /@ts-expect-error/.test(line) ? [`${path}:${index + 1}: @ts-expect-error belongs in test/types`] : [],
    );

/** A test that is skipped, or that keeps others from running. */
export const nothingSkipped: Finding = (path, text) =>
  findNodes(path, text, (node) => {
    if (node.type !== 'MemberExpression' || !isNode(node.object) || !isNode(node.property)) return undefined;
    const root = rootOf(node.object);
    const word = nameOf(node.property);
    return /^(it|test|describe)$/.test(root) && /^(only|skip|todo|fails)$/.test(word) ? `${root}.${word}` : undefined;
  });

function rootOf(node: SyntaxNode): string {
  if (node.type === 'Identifier') return nameOf(node);
  const inner = node.object ?? node.callee ?? node.tag;
  return isNode(inner) ? rootOf(inner) : '';
}
