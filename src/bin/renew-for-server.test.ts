import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { tempDir } from '../../test/support/temp-dir.ts';

it.skipIf(process.platform !== 'linux')(
  'a server keeps its id and its words when it limits its memory',
  async () => {
    const program = join(import.meta.dirname, 'gitswarm.ts');
    const data = tempDir('renewed');
    const child = spawn(process.execPath, [program, 'server', '--port', '0', '--data', data], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    await new Promise<void>((resolve, reject) => {
      const hear = (bytes: Buffer) => {
        said += bytes.toString('utf8');
        if (said.includes('listening on ')) resolve();
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      child.once('exit', () => reject(new Error(said)));
    });
    const words = readFileSync(`/proc/${child.pid}/cmdline`, 'utf8').split('\0').slice(1, -1);
    expect(words).toEqual(['--max-semi-space-size=4', program, 'server', '--port', '0', '--data', data]);
    expect(said).not.toContain('Warning');
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    await exit;
  },
);
