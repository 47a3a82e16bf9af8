import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The command that most likely tests a repository, from what lies at its top; undefined where nothing tells. */
export function findTestCommand(root: string): string | undefined {
  const has = (name: string) => existsSync(join(root, name));
  return (
    nodeTest(root, has) ??
    (has('Cargo.toml') ? 'cargo test' : undefined) ??
    (has('go.mod') ? 'go test ./...' : undefined) ??
    (has('pyproject.toml') || has('pytest.ini') || has('tox.ini') ? 'python -m pytest' : undefined) ??
    makeTest(root, has)
  );
}

function nodeTest(root: string, has: (name: string) => boolean): string | undefined {
  const text = read(join(root, 'package.json'));
  if (text === undefined) return undefined;
  const script = /"scripts"\s*:\s*\{[^}]*"test"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(text)?.[1];
  if (script === undefined || script.includes('no test specified')) return undefined;
  if (has('pnpm-lock.yaml')) return 'pnpm test';
  if (has('yarn.lock')) return 'yarn test';
  if (has('bun.lock') || has('bun.lockb')) return 'bun test';
  return 'npm test';
}

function makeTest(root: string, has: (name: string) => boolean): string | undefined {
  const name = ['Makefile', 'makefile', 'GNUmakefile'].find(has);
  const text = name === undefined ? undefined : read(join(root, name));
  const target = /^(check|test)\s*:/m.exec(text ?? '')?.[1];
  return target === undefined ? undefined : `make ${target}`;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
