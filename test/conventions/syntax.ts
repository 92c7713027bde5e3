import { parseAst } from 'vitest/node';

/** A node of the syntax tree (ESTree, with TypeScript's nodes). */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

export interface Import {
  /** As it is written: `../flow/gate.js`, `rxjs`. */
  readonly from: string;
  /** Names as exported there and as called here; none for `import './x.js'` and `import * as x`. */
  readonly names: ReadonlyMap<string, string>;
  readonly node: SyntaxNode;
}

export interface Export {
  readonly name: string;
  readonly kind: 'function' | 'class' | 'value' | 'type' | 'from';
  /** The module it is handed on from, where `kind` is `from`. */
  readonly from: string | undefined;
  readonly node: SyntaxNode;
}

const parsed = new Map<string, SyntaxNode>();

export function parse(path: string, text: string): SyntaxNode {
  const key = `${path}\0${text}`;
  let program = parsed.get(key);
  if (!program) {
    program = parseAst(text, { lang: 'ts' }, path) as unknown as SyntaxNode;
    parsed.set(key, program);
  }
  return program;
}

export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';
}

export function children(node: SyntaxNode): SyntaxNode[] {
  return Object.values(node).flatMap((value) =>
    Array.isArray(value) ? value.filter(isNode) : isNode(value) ? [value] : [],
  );
}

/** Calls `visit` with each node and the one around it, outermost first. */
export function walk(node: SyntaxNode, visit: (node: SyntaxNode, parent: SyntaxNode | undefined) => void): void {
  const step = (current: SyntaxNode, parent: SyntaxNode | undefined): void => {
    visit(current, parent);
    for (const child of children(current)) step(child, current);
  };
  step(node, undefined);
}

/** The statements of a module, outermost first. */
export function body(program: SyntaxNode): readonly SyntaxNode[] {
  return program.body as readonly SyntaxNode[];
}

/** The name of an identifier, or the text of a string. */
export function nameOf(node: unknown): string {
  if (!isNode(node)) return '';
  return String(node.name ?? node.value ?? '');
}

/** What a module imports and hands on, types included; dynamic imports of a literal too. */
export function importsOf(program: SyntaxNode): Import[] {
  const imports: Import[] = [];
  walk(program, (node) => {
    if (!isNode(node.source) || typeof node.source.value !== 'string') return;
    const specifiers = Array.isArray(node.specifiers) ? node.specifiers.filter(isNode) : [];
    const names = new Map<string, string>();
    for (const specifier of specifiers) {
      const imported = specifier.imported ?? specifier.local;
      if (specifier.type !== 'ImportNamespaceSpecifier') names.set(nameOf(imported), nameOf(specifier.local));
    }
    imports.push({ from: node.source.value, names, node });
  });
  return imports;
}

const KINDS: Readonly<Record<string, Export['kind']>> = {
  FunctionDeclaration: 'function',
  TSDeclareFunction: 'function',
  ClassDeclaration: 'class',
  VariableDeclaration: 'value',
  TSEnumDeclaration: 'value',
  TSInterfaceDeclaration: 'type',
  TSTypeAliasDeclaration: 'type',
};

/** What a module exports by name, each name as often as it is declared (overloads). */
export function exportsOf(program: SyntaxNode): Export[] {
  return body(program).flatMap((node): Export[] => {
    if (node.type !== 'ExportNamedDeclaration') return [];
    const from = isNode(node.source) ? nameOf(node.source) : undefined;
    if (isNode(node.declaration)) {
      const declaration = node.declaration;
      const kind = KINDS[declaration.type] ?? 'value';
      const declared =
        kind === 'value' && Array.isArray(declaration.declarations) ? declaration.declarations : [declaration];
      return declared.filter(isNode).map((one) => ({
        name: nameOf(one.id),
        kind: isNode(one.init) && /Function/.test(one.init.type) ? 'function' : kind,
        from: undefined,
        node,
      }));
    }
    const ofTypes = node.exportKind === 'type';
    return (node.specifiers as readonly SyntaxNode[]).map((specifier) => ({
      name: nameOf(specifier.exported),
      kind: ofTypes || specifier.exportKind === 'type' ? 'type' : 'from',
      from,
      node,
    }));
  });
}

/** The text of the docblock that ends right before `node`, without its stars; `undefined` if there is none. */
export function docblockOf(
  text: string,
  node: SyntaxNode,
): { readonly text: string; readonly start: number } | undefined {
  // Directives to the linter may stand between a docblock and what it describes.
  const above = text.slice(0, node.start).trimEnd().split('\n');
  while (above.at(-1)?.trim().startsWith('//')) above.pop();
  const before = above.join('\n').trimEnd();
  if (!before.endsWith('*/')) return undefined;
  const start = before.lastIndexOf('/*');
  if (start < 0 || !before.startsWith('/**', start)) return undefined;
  return { text: unstar(before.slice(start)), start };
}

/** A docblock as the Markdown it holds, line for line. */
export function unstar(docblock: string): string {
  return docblock
    .replace(/^\/\*\*/, '')
    .replace(/\*\/$/, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, ''))
    .join('\n');
}
