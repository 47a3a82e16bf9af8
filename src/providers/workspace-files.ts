import { constants } from 'node:fs';
import { lstat, mkdir, open, rm } from 'node:fs/promises';
import { dirname, isAbsolute, join, sep } from 'node:path';

/**
 * Files of a workspace by relative path. A path that leaves the workspace, passes a symbolic link on its way or at its
 * end, or touches git's own files is refused. Meant against mistakes in scripts: the checks are not one step with the
 * access, so they hold only while no rival swaps folders for links.
 */
export interface WorkspaceFiles {
  read(path: string): Promise<string>;
  write(path: string, content: string): Promise<void>;
  append(path: string, content: string): Promise<void>;
  remove(path: string): Promise<void>;
  has(path: string): Promise<boolean>;
}

export function workspaceFiles(root: string): WorkspaceFiles {
  const read = async (path: string) => {
    const file = await open(await confine(root, path), constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      return await file.readFile('utf8');
    } finally {
      await file.close();
    }
  };
  const put = async (path: string, content: string, flag: number) => {
    const target = await confine(root, path);
    await mkdir(dirname(target), { recursive: true });
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW | flag;
    const file = await open(target, flags, 0o666);
    try {
      await file.writeFile(content);
    } finally {
      await file.close();
    }
  };
  return {
    read,
    write: (path, content) => put(path, content, constants.O_TRUNC),
    append: (path, content) => put(path, content, constants.O_APPEND),
    remove: async (path) => rm(await confine(root, path)),
    has: async (path) => (await kindOf(await confine(root, path))) !== 'missing',
  };
}

async function confine(root: string, path: string): Promise<string> {
  const parts = path.split(/[/\\]/);
  const isOdd = parts.some((part) => part === '' || part === '.' || part === '..');
  if (isAbsolute(path) || isOdd || path.includes('\0')) {
    throw new Error(`The path ${JSON.stringify(path)} does not stay in the workspace`);
  }
  if (parts.some((part) => part.toLowerCase() === '.git')) {
    throw new Error(`The path ${JSON.stringify(path)} belongs to git`);
  }
  let reached = root;
  for (const part of path.split(sep)) {
    reached = join(reached, part);
    const kind = await kindOf(reached);
    if (kind === 'missing') break;
    if (kind === 'link') throw new Error(`The path ${JSON.stringify(path)} passes a symbolic link`);
  }
  return join(root, path);
}

async function kindOf(path: string): Promise<'missing' | 'link' | 'other'> {
  try {
    return (await lstat(path)).isSymbolicLink() ? 'link' : 'other';
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 'missing';
    throw error;
  }
}
