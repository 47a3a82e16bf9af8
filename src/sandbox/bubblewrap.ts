import { realpath } from 'node:fs/promises';
import { basename, delimiter, dirname } from 'node:path';

export interface Enclosure {
  cwd: string;
  writable: readonly string[];
  /** Directories that are shown empty. */
  hidden?: readonly string[] | undefined;
  /** Directories in hidden ones that are shown; what is hidden in them in turn stays so. */
  readable?: readonly string[] | undefined;
  network: boolean;
  /** Set inside only: bubblewrap's own processes go without. */
  env: Record<string, string>;
  /** The search path of the command: programs in it must be there. */
  path?: string | undefined;
  /** The descriptor on which bubblewrap reports whether the command was started and how it ended. */
  statusDescriptor?: number;
}

/**
 * The arguments of `bwrap` before the command: everything readable, only `cwd` and `writable` writable, an empty /tmp,
 * no sockets of the system's services, no capabilities, processes of its own that die with ours.
 */
export async function bubblewrapArguments(enclosure: Enclosure): Promise<string[]> {
  const cwd = await realpath(enclosure.cwd);
  const writable = await Promise.all(enclosure.writable.map((path) => realpath(path)));
  const hidden = await Promise.all((enclosure.hidden ?? []).map((path) => realpath(path)));
  const readable = await Promise.all((enclosure.readable ?? []).map((path) => realpath(path)));
  const isBelow = (path: string) => readable.some((above) => path.startsWith(`${above}/`));
  return [
    ...['--die-with-parent', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--cap-drop', 'ALL'],
    ...(enclosure.network ? [] : ['--unshare-net']),
    ...['--ro-bind', '/', '/', '--proc', '/proc', '--dev', '/dev'],
    // A socket can be used through a read-only mount: Docker's, the session bus and others live in /run.
    ...['--tmpfs', '/tmp', '--tmpfs', '/var/tmp', '--tmpfs', '/run'],
    ...hidden.flatMap((path) => ['--tmpfs', path]),
    ...(await readableInRun(enclosure.network)).flatMap((path) => ['--ro-bind-try', path, path]),
    ...programsBelowHidden(enclosure.path, hidden).flatMap((path) => ['--ro-bind-try', path, path]),
    ...readable.flatMap((path) => ['--ro-bind', path, path]),
    ...hidden.filter(isBelow).flatMap((path) => ['--tmpfs', path]),
    ...[cwd, ...writable].flatMap((path) => ['--bind', path, path]),
    ...Object.entries({ TMPDIR: '/tmp', ...enclosure.env }).flatMap(([name, value]) => [
      '--setenv',
      name,
      value,
    ]),
    ...(enclosure.statusDescriptor ? ['--json-status-fd', String(enclosure.statusDescriptor)] : []),
    ...['--chdir', cwd],
  ];
}

/** NixOS keeps its programs in /run, and many systems the list of name servers. */
async function readableInRun(network: boolean): Promise<string[]> {
  const servers = network ? await realpath('/etc/resolv.conf').catch(() => '') : '';
  return ['/run/current-system', '/run/wrappers', servers].filter((path) => path.startsWith('/run/'));
}

const HIDDEN = ['/tmp/', '/var/tmp/', '/run/'];

/**
 * Folders of the search path that the empty ones would hide, as when all of this lives in a temporary checkout. What
 * stands in a `bin` or `.bin` mostly leads to its neighbours, so the folder above is shown.
 */
function programsBelowHidden(path: string | undefined, hidden: readonly string[]): string[] {
  const tops = [...HIDDEN, ...hidden.map((each) => `${each}/`)];
  const folders = (path ?? '')
    .split(delimiter)
    .filter((folder) => tops.some((top) => folder.startsWith(top)));
  return [
    ...new Set(folders.map((folder) => (/^\.?bin$/.test(basename(folder)) ? dirname(folder) : folder))),
  ].filter((folder) => !tops.includes(`${folder}/`));
}
