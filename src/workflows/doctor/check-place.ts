import { statfsSync } from 'node:fs';
import { identity } from '../../git/config.ts';
import { probeSandbox } from '../../sandbox/probe-sandbox.ts';
import { addExcludes, excludesPresent } from '../exclude-file.ts';
import type { Workflow } from '../workflow.ts';
import type { Finding } from './finding.ts';

/** f_type of statfs(2) for NFS, SMB, CIFS and SMB2: their locks cannot be trusted. */
const NETWORK_FILE_SYSTEMS = new Set([0x6969, 0x517b, 0xff534d42, 0xfe534d42]);

/** The machine and the place the repository is in. */
export async function checkPlace(workflow: Workflow): Promise<Finding[]> {
  const findings: Finding[] = [{ check: 'git', level: 'ok', text: `git ${await workflow.git.version()}` }];
  findings.push(checkFileSystem(workflow));
  const person = await identity(workflow.git);
  findings.push(
    person
      ? { check: 'identity', level: 'ok', text: `commits are made by ${person.name} <${person.email}>` }
      : {
          check: 'identity',
          level: 'note',
          text: 'git knows no name and address; commits of people carry GitSwarm’s',
          fix: 'git config user.name "…" && git config user.email "…"',
        },
  );
  const sandbox = await probeSandbox();
  findings.push(
    sandbox.isolation === 'bubblewrap'
      ? { check: 'sandbox', level: 'ok', text: 'commands run in bubblewrap' }
      : {
          check: 'sandbox',
          level: 'note',
          text: `commands run as plain processes: ${sandbox.reason ?? ''}`,
          fix: 'install bubblewrap',
        },
  );
  findings.push({
    check: 'trust',
    level: 'note',
    text:
      workflow.authority.kind === 'server'
        ? 'the key of this clone is for whoever runs as you; the server holds each key to its rights'
        : 'local mode guards against mistakes, not against programs that run as you',
  });
  return [...findings, checkExcludes(workflow)];
}

function checkFileSystem(workflow: Workflow): Finding {
  const type = Number(statfsSync(workflow.home).type) >>> 0;
  if (!NETWORK_FILE_SYSTEMS.has(type)) return { check: 'disk', level: 'ok', text: 'on a local file system' };
  return {
    check: 'disk',
    level: 'problem',
    text: `${workflow.home} is on a network file system, where locks cannot be trusted`,
    fix: 'move the repository to a local disk, or use a server',
  };
}

function checkExcludes(workflow: Workflow): Finding {
  if (workflow.git.isBare || excludesPresent(workflow.git.commonDir))
    return { check: 'exclude', level: 'ok', text: 'kept out of commits' };
  return {
    check: 'exclude',
    level: 'problem',
    text: 'the database is not excluded from commits',
    mend: async () => (addExcludes(workflow.git.commonDir) ? 'entered into the exclude file' : 'was there'),
  };
}
