import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';

/** The folder of the checkout. */
export const root = dirname(dirname(__dirname));

/** Never part of a checkout. */
const UNSEEN = new Set(['.git', 'node_modules', 'dist', 'coverage', '.cache']);

/** All files below a folder of the checkout, as paths from its root with `/`; none when there is no such folder. */
export function filesBelow(folder: string, pattern = /./): readonly string[] {
  const path = join(root, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => !UNSEEN.has(entry.name))
    .flatMap((entry) => {
      const inner = folder === '' ? entry.name : `${folder}/${entry.name}`;
      return entry.isDirectory() ? filesBelow(inner, pattern) : pattern.test(inner) ? [inner] : [];
    })
    .sort();
}

/** The text of a file of the checkout. */
export function textOf(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

/** Parses a TypeScript file of the checkout. */
export function parse(file: string): ts.SourceFile {
  return ts.createSourceFile(file, textOf(file), ts.ScriptTarget.ES2022, true);
}

/** One import or re-export of a file. */
export interface Import {
  readonly file: string;
  /** As written: `node:net`, `zod`, or a file of the checkout. */
  readonly target: string;
  readonly isOurs: boolean;
  readonly isTypeOnly: boolean;
  readonly names: readonly string[];
}

function namesOf(node: ts.ImportDeclaration | ts.ExportDeclaration): readonly string[] {
  const list = ts.isImportDeclaration(node) ? node.importClause?.namedBindings : node.exportClause;
  if (list === undefined || !(ts.isNamedImports(list) || ts.isNamedExports(list))) return [];
  return list.elements.map((element) => (element.propertyName ?? element.name).text);
}

function isTypeOnly(node: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
  return ts.isImportDeclaration(node)
    ? node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword
    : node.isTypeOnly;
}

/** Every import, re-export and dynamic import of a file; a dynamic one of no literal has the target `?`. */
export function importsOf(file: string): readonly Import[] {
  const found: Import[] = [];
  const add = (specifier: string, names: readonly string[], typeOnly: boolean): void => {
    const isOurs = specifier.startsWith('.');
    const path = relative(root, join(root, dirname(file), specifier)).replaceAll('\\', '/');
    const target = isOurs ? path.replace(/\.js$/, '.ts') : specifier;
    found.push({ file, target, isOurs, isTypeOnly: typeOnly, names });
  };
  const visit = (node: ts.Node): void => {
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier !== undefined) {
      if (ts.isStringLiteral(node.moduleSpecifier)) add(node.moduleSpecifier.text, namesOf(node), isTypeOnly(node));
    }
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [what] = node.arguments;
      add(what !== undefined && ts.isStringLiteral(what) ? what.text : '?', [], false);
    }
    ts.forEachChild(node, visit);
  };
  visit(parse(file));
  return found;
}

/** Global things whose use makes a file depend on the hour, on chance or on the machine. */
const AMBIENT = new Set([
  'fetch',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'performance',
  'process',
  'console',
  'crypto',
]);

function isName(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node;
  if (ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent)) return parent.name === node;
  return ts.isImportSpecifier(parent) || ts.isMethodSignature(parent) || ts.isBindingElement(parent);
}

/** The ambient things a file uses: `Date`, `Math.random`, `process.env`, `process`, `fetch`, … */
export function ambientsOf(file: string): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAccessExpression(node)) {
      const text = node.getText();
      if (text === 'Date.now' || text === 'Math.random' || text === 'process.env') found.add(text);
    }
    const isNow = ts.isNewExpression(node) && node.expression.getText() === 'Date' && node.arguments?.length === 0;
    if (isNow) found.add('Date.now');
    const isEnv = ts.isIdentifier(node) && node.parent.getText() === 'process.env';
    if (ts.isIdentifier(node) && AMBIENT.has(node.text) && !isName(node) && !isEnv) found.add(node.text);
    ts.forEachChild(node, visit);
  };
  visit(parse(file));
  return found;
}

/** Whether a docstring stands above a statement, or above the group of lines that it is part of. */
function isDocumented(statement: ts.Statement, file: ts.SourceFile): boolean {
  if (ts.getJSDocCommentsAndTags(statement).length > 0) return true;
  const before = file.statements[file.statements.indexOf(statement) - 1];
  if (before === undefined || ts.isImportDeclaration(before)) return false;
  const lineOf = (position: number) => file.getLineAndCharacterOfPosition(position).line;
  return lineOf(before.getEnd()) + 1 === lineOf(statement.getStart()) && isDocumented(before, file);
}

/** Exported declarations that have no docstring. */
export function undocumentedExports(path: string): readonly string[] {
  const file = parse(path);
  return file.statements.flatMap((statement) => {
    if (!ts.canHaveModifiers(statement)) return [];
    const isExported = ts.getModifiers(statement)?.some((one) => one.kind === ts.SyntaxKind.ExportKeyword) === true;
    if (!isExported || isDocumented(statement, file)) return [];
    return [`${path}: ${statement.getText().split('\n')[0] ?? ''}`];
  });
}
