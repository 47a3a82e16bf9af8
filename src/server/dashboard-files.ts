import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

export interface DashboardFile {
  type: string;
  bytes: Buffer;
  zipped: Buffer;
  /** Its name changes with what it holds. */
  isImmutable: boolean;
}

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Beside the published program, and where the build of a checkout puts it. */
const PLACES = ['./web/', '../../dist/web/'];

/**
 * The files of the built dashboard by their paths (`/assets/…`); none where it was not built. They are read once: a path
 * from outside is looked up among them and never reaches the disk.
 */
export function readDashboard(given?: string): ReadonlyMap<string, DashboardFile> {
  const places = PLACES.map((place) => fileURLToPath(new URL(place, import.meta.url)));
  const dir = (given === undefined ? places : [given]).find((place) => existsSync(join(place, 'index.html')));
  if (dir === undefined) return new Map();
  const names = readdirSync(dir, { recursive: true, encoding: 'utf8' }).map((name) =>
    name.replaceAll('\\', '/'),
  );
  return new Map(
    names.flatMap((name): [string, DashboardFile][] => {
      const type = TYPES[extname(name)];
      if (type === undefined) return [];
      const bytes = readFileSync(join(dir, name));
      const isImmutable = name.startsWith('assets/');
      return [[`/${name}`, { type, bytes, zipped: gzipSync(bytes), isImmutable }]];
    }),
  );
}
