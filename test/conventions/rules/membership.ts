import { posix } from 'node:path';
import { baseName, type Files, under } from '../repository.js';
import { type Export, exportsOf, isNode, nameOf, parse, type SyntaxNode, walk } from '../syntax.js';

/** A folder whose members are public, each in a file of its own name. */
export interface Membership {
  /** What a member is called in messages: `operator`. */
  readonly noun: string;
  /** `src/operators` */
  readonly folder: string;
  /** `docs/operators` */
  readonly docs: string;
  /** Files, and functions that the index exports, that are no members, each with the reason. */
  readonly support: Readonly<Record<string, string>>;
}

export const INDEX_OF_DOCS = 'docs/README.md';

/**
 * The members: files at the top of the folder that export a function of their own name, and files anywhere else whose
 * own-named function the folder's index hands on.
 */
export function membersOf({ folder, support }: Membership, files: Files): Map<string, string> {
  const face = `${folder}/index.ts`;
  const handedOn = exportsAt(files, face).flatMap(({ name, from }) =>
    from?.startsWith('.') && name === baseName(from.replace(/\.js$/, ''))
      ? [posix.join(folder, from).replace(/\.js$/, '.ts')]
      : [],
  );
  const atTop = [...under(files, folder).keys()].filter((path) => !path.slice(folder.length + 1).includes('/'));
  const members = new Map<string, string>();
  for (const path of new Set([...atTop, ...handedOn])) {
    const name = baseName(path);
    const text = files.get(path);
    if (text === undefined || path === face || name in support || path.endsWith('.test.ts')) continue;
    if (exportsOf(parse(path, text)).some((one) => one.name === name && one.kind === 'function'))
      members.set(name, path);
  }
  return members;
}

/** folder = exports = docs index, both ways. */
export function membershipProblems(rule: Membership, files: Files): string[] {
  const { noun, folder, docs, support } = rule;
  const problems: string[] = [];
  const members = membersOf(rule, files);
  const face = `${folder}/index.ts`;

  for (const [path, text] of under(files, folder)) {
    if (path.endsWith('.test.ts')) continue;
    const name = baseName(path);
    const isAtTop = !path.slice(folder.length + 1).includes('/');
    if (!isAtTop || name === 'index' || name in support || members.has(name)) continue;
    if (holdsItsErrorClass(path, text)) continue;
    problems.push(
      `${path} exports no function ${name}: a file in ${folder} is one ${noun} of its own name, or is listed as support with a reason (test/conventions/house.ts)`,
    );
  }
  for (const name of Object.keys(support)) {
    const isFile = [...under(files, folder).keys()].some((path) => baseName(path) === name);
    const isExport = exportsAt(files, `${folder}/index.ts`).some((one) => one.name === name);
    if (!isFile && !isExport) problems.push(`${name} is listed as support of ${folder}, but is not there any more`);
  }
  for (const [name, path] of members) {
    if (!exportsAt(files, face).some((one) => one.name === name))
      problems.push(`${face} does not export ${name} (${path})`);
    const page = `${docs}/${name}.md`;
    if (!files.has(page)) problems.push(`${page} is missing: every ${noun} has a page; npm run docs makes it`);
    const link = `${page.slice('docs/'.length)}`;
    if (!files.get(INDEX_OF_DOCS)?.includes(`](${link})`)) problems.push(`${INDEX_OF_DOCS} does not link ${link}`);
  }
  for (const { name, kind } of exportsAt(files, `${folder}/index.ts`)) {
    // Types, classes, constants and guards may accompany a member; a function is a member.
    if (kind === 'type' || !/^[a-z]/.test(name) || /^is[A-Z]/.test(name)) continue;
    if (!members.has(name) && !(name in support)) {
      problems.push(`${folder}/index.ts exports ${name}, which has no file of its own name`);
    }
  }
  for (const page of under(files, docs).keys()) {
    if (!members.has(baseName(page))) problems.push(`${page} describes no ${noun} of ${folder}`);
  }
  return problems;
}

/** The root is for a reader to take in at once, types included. */
export const MAX_NAMES_AT_ROOT = 80;

/**
 * The root is a selection of what the subpaths export, handed on file by file so that it loads no more than it names. A
 * name that two subpaths export is the same thing in both.
 */
export function faceProblems(files: Files): string[] {
  const root = exportsAt(files, 'src/index.ts');
  const problems: string[] = [];
  const size = new Set(root.map(({ name }) => name)).size;
  if (size > MAX_NAMES_AT_ROOT) {
    problems.push(
      `src/index.ts exports ${size} names, and may export ${MAX_NAMES_AT_ROOT}: leave some to their subpath`,
    );
  }

  const origins = new Map<string, string>();
  for (const path of files.keys()) {
    if (!/^src\/[^/]+\/index\.ts$/.test(path)) continue;
    for (const one of exportsAt(files, path)) {
      const origin = originOf(path, one);
      const other = origins.get(one.name) ?? origin;
      if (other !== origin)
        problems.push(`${path} exports ${one.name} of ${origin}, and another subpath that of ${other}`);
      origins.set(one.name, other);
    }
  }
  for (const one of root) {
    const origin = originOf('src/index.ts', one);
    if (origin.endsWith('/index.ts')) {
      problems.push(`src/index.ts takes ${one.name} from ${origin}, which loads the whole room: name its file`);
    } else if (origins.get(one.name) !== origin) {
      problems.push(`src/index.ts exports ${one.name} of ${origin}, which no subpath exports`);
    }
  }
  return problems;
}

/** The file that declares what an index hands on. */
function originOf(index: string, { from }: Export): string {
  return from === undefined ? index : posix.join(posix.dirname(index), from).replace(/\.js$/, '.ts');
}

/** An error that a member fails with may lie beside it: `ndjsonError.ts` with the class `NdjsonError`. */
function holdsItsErrorClass(path: string, text: string): boolean {
  const name = baseName(path);
  const className = `${name[0]?.toUpperCase()}${name.slice(1)}`;
  return (
    name.endsWith('Error') && exportsOf(parse(path, text)).some((one) => one.name === className && one.kind === 'class')
  );
}

function exportsAt(files: Files, path: string): Export[] {
  const text = files.get(path);
  return text === undefined ? [] : exportsOf(parse(path, text));
}

/** Every operator is registered in the conformance kit and has its marble tests; what is registered exists. */
export function operatorProblems(
  names: Iterable<string>,
  registry: { readonly path: string; readonly text: string | undefined },
  files: Files,
): string[] {
  const problems: string[] = [];
  const operators = new Set(names);
  const registered = registry.text === undefined ? undefined : subjectsIn(registry.path, registry.text, 'operators');
  if (!registered) problems.push(`${registry.path} is missing: it registers every operator with the conformance kit`);
  for (const name of operators) {
    if (registered && !registered.get(name)) {
      problems.push(`${registry.path} does not register ${name}: add an entry \`${name}: [subject({ … })]\``);
    }
    const test = `marble-tests/${name}.test.ts`;
    if (!files.has(test)) problems.push(`${test} is missing: every operator has its timing drawn in marbles`);
  }
  for (const entry of registered?.keys() ?? []) {
    if (!operators.has(entry)) problems.push(`${registry.path} registers ${entry}, which is no operator`);
  }
  return problems;
}

/** Every sink is registered in the conformance kit, but for those that `exempt` names with a reason; what is registered exists. */
export function sinkProblems(
  names: Iterable<string>,
  registry: { readonly path: string; readonly text: string | undefined },
  exempt: Readonly<Record<string, string>>,
): string[] {
  const { path, text } = registry;
  if (text === undefined) return [`${path} is missing: it registers every sink with the conformance kit`];
  const registered = subjectsIn(path, text, 'sinks');
  const members = new Set(names);
  const missing = [...members].filter((name) => !registered.get(name) && !(name in exempt));
  return [
    ...missing.map((name) => `${path} does not register ${name}: add an entry \`${name}: [subject(…)]\``),
    ...[...registered.keys()]
      .filter((entry) => !members.has(entry) || entry in exempt)
      .map((entry) => `${path} registers ${entry}, which is no sink`),
    ...Object.keys(exempt)
      .filter((name) => !members.has(name))
      .map((name) => `${name} is exempt from the conformance of sinks, but is not there any more`),
  ];
}

/** How many subjects the exported record of this name has for each of its keys. */
function subjectsIn(path: string, text: string, record: string): Map<string, number> {
  const subjects = new Map<string, number>();
  walk(parse(path, text), (node) => {
    if (node.type !== 'VariableDeclarator' || nameOf(node.id) !== record || !isNode(node.init)) return;
    for (const entry of node.init.properties as readonly SyntaxNode[]) {
      const list = isNode(entry.value) ? entry.value.elements : undefined;
      subjects.set(nameOf(entry.key), Array.isArray(list) ? list.length : 0);
    }
  });
  return subjects;
}
