import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, it } from 'vitest';

/** The house: what each folder of src may import besides itself. The table is the picture of the architecture. */
const MAY_IMPORT: Record<string, string[]> = {
  base: [],
  contract: ['base'],
  git: ['base', 'contract'],
  db: ['base', 'contract'],
  machine: ['base', 'contract'],
  sandbox: ['base', 'contract'],
  providers: ['base', 'contract'],
  domain: ['base', 'contract', 'db'],
  operations: ['base', 'contract', 'db', 'domain'],
  sync: ['base', 'contract', 'machine', 'domain', 'operations'],
  workflows: ['base', 'contract', 'git', 'machine', 'sandbox', 'providers', 'domain', 'operations'],
  app: [
    'base',
    'contract',
    'git',
    'db',
    'machine',
    'sandbox',
    'providers',
    'domain',
    'operations',
    'sync',
    'workflows',
  ],
  server: ['base', 'contract', 'git', 'machine', 'domain', 'operations', 'workflows', 'app'],
  cli: ['base', 'contract', 'git', 'machine', 'domain', 'sync', 'workflows', 'app', 'server'],
  bin: ['cli'],
};

const SRC = resolve(import.meta.dirname, '../src');
const WEB = resolve(import.meta.dirname, '../web/src');

interface Import {
  from: string;
  folder: string;
  target: string;
  /** Loaded when it is needed, not with the file. */
  isDynamic: boolean;
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.includes('/fixtures/'))
  .map((file) => join(SRC, file));

const imports: Import[] = files.flatMap((file) => {
  const text = readFileSync(file, 'utf8');
  const found = text.matchAll(/(?:^|\n)\s*(?:import|export)\s[^;]*?from\s+'([^']+)'|import\('([^']+)'\)/g);
  const from = relative(SRC, file);
  return [...found].map((match) => {
    const name = match[1] ?? match[2] ?? '';
    const target = name.startsWith('.') ? relative(SRC, resolve(dirname(file), name)) : name;
    return { from, folder: from.split('/')[0] ?? '', target, isDynamic: match[1] === undefined };
  });
});

const inside = imports.filter(({ target }) => files.includes(join(SRC, target)));

it('finds the imports it judges', () => {
  expect(inside.length).toBeGreaterThan(300);
});

function offenders(wrong: (each: Import) => boolean, among = imports): string[] {
  return among.filter(wrong).map(({ from, target }) => `${from} imports ${target}`);
}

it('every folder imports only what its floor may see', () => {
  const wrong = ({ folder, target }: Import) => {
    const other = target.split('/')[0] ?? '';
    return other !== folder && !(MAY_IMPORT[folder] ?? []).includes(other);
  };
  expect(offenders(wrong, inside)).toEqual([]);
});

it('every folder of src has a row in the table', () => {
  expect([...new Set(files.map((file) => relative(SRC, file).split('/')[0]))].sort()).toEqual(
    Object.keys(MAY_IMPORT).sort(),
  );
});

it('above the operations nobody sees a store, and of the operations only the authority', () => {
  const above = ['sync', 'workflows', 'cli'];
  const seesStore = ({ folder, target }: Import) =>
    [...above, 'server'].includes(folder) && target.endsWith('-store.ts');
  expect(offenders(seesStore)).toEqual([]);
  const wrong = ({ folder, target }: Import) =>
    above.includes(folder) && target.startsWith('operations/') && target !== 'operations/authority.ts';
  expect(offenders(wrong)).toEqual([]);
});

it('the contract uses nothing of Node and only the ids of base, so that a browser can load it', () => {
  const wrong = ({ folder, target }: Import) =>
    folder === 'contract' &&
    (target.startsWith('node:') || (target.startsWith('base/') && target !== 'base/ids.ts'));
  expect(offenders(wrong)).toEqual([]);
});

it('the dashboard sees the contract and nothing else of src, through its api.ts alone', () => {
  const offending = readdirSync(WEB, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.tsx?$/.test(file) && !file.endsWith('.test.ts'))
    .flatMap((file) => {
      const names = [...readFileSync(join(WEB, file), 'utf8').matchAll(/(?:from|import\()\s*'([^']+)'/g)];
      return names.map(([, name = '']) => ({ file, name: inSrc(join(WEB, file), name) }));
    })
    .filter(({ name }) => name !== undefined)
    .filter(({ file, name }) => file !== 'api.ts' || !name?.startsWith('contract/'));
  expect(offending).toEqual([]);
});

/** The file of src that a file of the dashboard means; undefined for its own files and for packages. */
function inSrc(from: string, name: string): string | undefined {
  if (name.startsWith('node:')) return name;
  const target = resolve(dirname(from), name);
  return name.startsWith('.') && !target.startsWith(`${WEB}/`) ? relative(SRC, target) : undefined;
}

it('only git and the sandbox start processes', () => {
  const wrong = ({ folder, target }: Import) =>
    /^(node:)?child_process$/.test(target) && !['git', 'sandbox'].includes(folder);
  expect(offenders(wrong)).toEqual([]);
});

it('kysely is known to db and to stores only', () => {
  const wrong = ({ from, folder, target }: Import) =>
    target === 'kysely' && folder !== 'db' && !from.endsWith('-store.ts');
  expect(offenders(wrong)).toEqual([]);
});

it('only app/environment.ts reads process.env, and what bin does before anything is loaded', () => {
  const readers = files.filter((file) => /process\.env\b/.test(withoutComments(readFileSync(file, 'utf8'))));
  const first = ['bin/code-cache.ts', 'bin/renew-for-server.ts'];
  expect(readers.map((file) => relative(SRC, file))).toEqual(['app/environment.ts', ...first]);
});

it('nobody writes to the console but the output of the command line', () => {
  const writers = files.filter((file) => /\bconsole\./.test(withoutComments(readFileSync(file, 'utf8'))));
  expect(
    writers.map((file) => relative(SRC, file)).filter((file) => !file.startsWith('cli/output/')),
  ).toEqual([]);
});

it('imports within src make no cycle', () => {
  const next = new Map<string, string[]>();
  for (const { from, target, isDynamic } of inside)
    if (!isDynamic) next.set(from, [...(next.get(from) ?? []), target]);
  expect(findCycle(next)).toBeUndefined();
});

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
}

function findCycle(next: Map<string, string[]>): string[] | undefined {
  const done = new Set<string>();
  const visit = (node: string, path: string[]): string[] | undefined => {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node];
    if (done.has(node)) return undefined;
    for (const other of next.get(node) ?? []) {
      const cycle = visit(other, [...path, node]);
      if (cycle) return cycle;
    }
    done.add(node);
    return undefined;
  };
  for (const node of next.keys()) {
    const cycle = visit(node, []);
    if (cycle) return cycle;
  }
  return undefined;
}
