export interface TreeEntry {
  mode: string;
  name: string;
  oid: string;
}

const DIRECTORY = '40000';

/** True for an entry that is a directory. */
export function isDirectory(entry: TreeEntry): boolean {
  return entry.mode === DIRECTORY;
}

/** The entries of a raw tree object. `hashBytes` is 20 or 32. */
export function parseTree(content: Buffer, hashBytes: number): TreeEntry[] {
  const entries: TreeEntry[] = [];
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(32, at);
    const nul = content.indexOf(0, space);
    const end = nul + 1 + hashBytes;
    entries.push({
      mode: content.toString('latin1', at, space),
      name: content.toString('utf8', space + 1, nul),
      oid: content.toString('hex', nul + 1, end),
    });
    at = end;
  }
  return entries;
}
