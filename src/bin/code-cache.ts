import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Script } from 'node:vm';

/** Where the compiled form of the program is kept for one command; without a file nothing is kept. */
export interface CodeCache {
  file: string | undefined;
  data: Buffer | undefined;
}

/**
 * Compiled code of the bundle as one command leaves it. Node's own compile cache is written before anything has run, so
 * every function is compiled again at each start; this one is written at the end and holds all that the command needs.
 * V8 compares the length of the source only, so the name of the directory holds a hash of the bundle. It is code that
 * will run: it is read only from a directory of the user's own that nobody else can write to.
 */
export function openCodeCache(bundle: string, words: readonly string[]): CodeCache {
  const none = { file: undefined, data: undefined };
  if (process.env.NODE_DISABLE_COMPILE_CACHE || process.env.NODE_V8_COVERAGE) return none;
  try {
    const program = `${bundle}-${process.versions.node}-${process.arch}`;
    const directory = join(cacheHome(), 'gitswarm', 'code', program);
    const file = join(directory, `${commandOf(words)}.bin`);
    return { file, data: read(directory, file) };
  } catch {
    return none;
  }
}

/** Keeps what has been compiled by now, and drops what other versions left. Failing to is no failure of the command. */
export function keepCodeCache({ file }: CodeCache, script: Script): void {
  if (file === undefined) return;
  try {
    const directory = join(file, '..');
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    if (!isPrivate(statSync(directory))) return;
    const draft = `${file}.${process.pid}`;
    writeFileSync(draft, script.createCachedData(), { mode: 0o600 });
    renameSync(draft, file);
    for (const other of readdirSync(join(directory, '..')))
      if (isStale(join(directory, '..', other)))
        rmSync(join(directory, '..', other), { recursive: true, force: true });
  } catch {
    // A full or read-only disk: the next command compiles again.
  }
}

function read(directory: string, file: string): Buffer | undefined {
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found || !isPrivate(found) || !isPrivate(statSync(directory))) return undefined;
  return readFileSync(file);
}

function isPrivate({ uid, mode }: Stats): boolean {
  if (process.platform === 'win32') return true;
  return uid === process.geteuid?.() && (mode & 0o022) === 0;
}

const TWO_WEEKS_MS = 14 * 24 * 3600 * 1000;

function isStale(path: string): boolean {
  return Date.now() - statSync(path).mtimeMs > TWO_WEEKS_MS;
}

function cacheHome(): string {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  if (process.platform === 'win32' && LOCALAPPDATA) return LOCALAPPDATA;
  return XDG_CACHE_HOME?.startsWith('/') ? XDG_CACHE_HOME : join(homedir(), '.cache');
}

/** The first word, where it could be a command: each command needs another part of the program. */
function commandOf(words: readonly string[]): string {
  const word = words.find((each) => /^[a-z][a-z-]{1,20}$/.test(each));
  return word ?? 'none';
}
