import * as rxjs from 'rxjs';
import * as rxjsFetch from 'rxjs/fetch';
import { type Files, lineAt } from '../repository.js';
import { isNode, nameOf, parse, unstar, walk } from '../syntax.js';

/** What declares the member of an object or a class, in types and in code. */
const MEMBERS = ['TSPropertySignature', 'TSMethodSignature', 'MethodDefinition', 'PropertyDefinition', 'Property'];
const DECLARATIONS = [
  'FunctionDeclaration',
  'TSDeclareFunction',
  'ClassDeclaration',
  'VariableDeclarator',
  'TSTypeAliasDeclaration',
];

/** The names of members that the files declare, and with `all` those of functions, classes and variables too. */
export function declaredNames(files: Files, all = false): Set<string> {
  const names = new Set<string>();
  for (const [path, text] of files) {
    walk(parse(path, text), (node) => {
      if (MEMBERS.includes(node.type)) names.add(nameOf(node.key));
      else if (all && DECLARATIONS.includes(node.type) && isNode(node.id)) names.add(nameOf(node.id));
      else if (all && /^(?:Object|Array)Pattern$/.test(node.type)) for (const name of namesIn(node)) names.add(name);
    });
  }
  return names;
}

function namesIn(node: Parameters<typeof walk>[0]): string[] {
  const names: string[] = [];
  walk(node, (one) => {
    if (one.type === 'Identifier') names.push(nameOf(one));
  });
  return names;
}

/** What every program has, and RxJS. */
export function foreignNames(): Set<string> {
  const prototypes = [Array, Map, Set, String, Promise, RegExp, Date, AbortController, Number, Object, JSON, Math];
  return new Set([
    ...Object.keys(rxjs),
    ...Object.keys(rxjsFetch),
    ...Object.getOwnPropertyNames(globalThis),
    ...prototypes.flatMap((one) => [
      ...Object.getOwnPropertyNames(one),
      ...('prototype' in one ? Object.getOwnPropertyNames(one.prototype) : []),
    ]),
  ]);
}

/** A call in a code span: `batch()`, `outlet.pump()`, `batch({ size, lingerMs })`. What is said to be gone need not be there. */
const CALL = /`(?:new |await )?((?:[A-Za-z_$][\w$]*\.)*)([A-Za-z_$][\w$]*)(?:<[^`>]*>)?\([^`]*`(?! (?:->|is gone))/g;

/** Calls in code spans of a text whose function is none that is known. */
export function unknownCalls(path: string, text: string, known: (name: string) => boolean): string[] {
  const blanked = text.replace(/^(\s*`{3,})[\s\S]*?^\1/gm, (block) => block.replace(/[^\n]/g, ' '));
  return [...blanked.matchAll(CALL)].flatMap(({ 0: span, 2: name = '', index }) =>
    known(name) ? [] : [`${path}:${lineAt(blanked, index)}: ${span} names ${name}(), which is not there`],
  );
}

/** Subpaths of the package in code spans and imports that it does not have. */
export function unknownSubpaths(path: string, text: string, subpaths: ReadonlySet<string>): string[] {
  return [...text.matchAll(/[`'"](sluice(?:\/[a-z-]+)+)[`'"]/g)].flatMap(({ 1: subpath = '', index }) =>
    subpaths.has(subpath) ? [] : [`${path}:${lineAt(text, index)}: ${subpath} is no subpath of the package`],
  );
}

/** The docblocks of a file as text, each at its line. */
export function docblocksOf(text: string): string {
  let result = '';
  let end = 0;
  for (const match of text.matchAll(/\/\*\*[\s\S]*?\*\//g)) {
    result += text.slice(end, match.index).replace(/[^\n]/g, '');
    result += unstar(match[0]);
    end = match.index + match[0].length;
  }
  return result;
}

/** The part of a changelog that is about the version at its top: before the second heading of the second level. */
export function presentVersion(changelog: string): string {
  const headings = [...changelog.matchAll(/^## /gm)];
  return headings[1] ? changelog.slice(0, headings[1].index) : changelog;
}
