import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readEnvironment } from '../src/app/environment.ts';
import { openApp } from '../src/app/open-app.ts';
import { checkPlans } from '../src/workflows/plan-check.ts';
import { fixPlans } from '../src/workflows/plan-fix.ts';
import { atMost, median, printRows, timed } from './measure.ts';
import { openProduct } from './product.ts';
import { GIT_ENV, runQuiet } from './run-quiet.ts';

/** `npm run build && npm run bench:plan`: workplans in bulk, 500 files of 200 tasks, from the files to the findings. */
const FILES = 500;
const TASKS = 200;
const RUNS = 5;
const OPTIONS = { ask: true, writeback: true, pull: false, force: false };
const top = mkdtempSync(join(process.env.GITSWARM_BENCH_DIR ?? tmpdir(), 'gitswarm-bench-plan-'));
const dir = join(top, 'repo');

try {
  await makePlans();
  const { app, workflow } = await openProduct(dir);
  const unlinked = await measured(() => checkPlans(workflow, { ask: true }));
  const first = await timed(() => fixPlans(workflow, OPTIONS));
  await app.close();
  const check = await measured(async () => {
    const fresh = await openApp({ dir, environment: readEnvironment(GIT_ENV), untouched: true });
    const { findings } = await checkPlans(fresh.workflow(), { ask: true });
    if (findings.length > 0) throw new Error(`unexpected: ${JSON.stringify(findings[0])}`);
    await fresh.close();
  });
  const again = await openApp({ dir, environment: readEnvironment(GIT_ENV) });
  const fix = await measured(() =>
    fixPlans({ ...workflow, ...again.workflow({ actor: workflow.actor }) }, OPTIONS),
  );
  await again.close();
  const built = join(import.meta.dirname, '../dist/gitswarm.cjs');
  const program = existsSync(built) ? built : join(import.meta.dirname, '../src/bin/gitswarm.ts');
  const process_ = await measured(() => runQuiet(process.execPath, [program, 'plan', 'check'], { cwd: dir }));
  printRows(`${FILES} files of ${TASKS} tasks (median of ${RUNS})`, [
    atMost('check, no task made yet', unlinked / 1000, 2, ' s'),
    atMost('check, all tasks there, opened anew', check / 1000, 2, ' s'),
    atMost('the same as a process', process_ / 1000, 2, ' s'),
    atMost('fix with nothing to do', fix / 1000, 2, ' s'),
    {
      what: `the first fix: ${FILES * TASKS} tasks, one commit`,
      measured: `${(first / 1000).toFixed(1)} s`,
      target: '',
      holds: undefined,
    },
  ]);
} finally {
  rmSync(top, { recursive: true, force: true });
}

async function measured(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < RUNS; run++) times.push(await timed(work));
  return median(times);
}

async function makePlans(): Promise<void> {
  mkdirSync(join(dir, 'workplans'), { recursive: true });
  for (let file = 0; file < FILES; file++) {
    const id = `WP-${String(file).padStart(4, '0')}`;
    const head = `---\nid: ${id}\ntype: workplan\ntitle: "Plan ${file}"\nstatus: active\ncreated: "2026-03-21"\n---\n\n# Plan ${file}\n`;
    const tasks = Array.from({ length: TASKS }, (_, task) =>
      taskText(`${id}-T${String(task).padStart(3, '0')}`),
    );
    writeFileSync(join(dir, 'workplans', `${id}.md`), head + tasks.join(''));
  }
  await runQuiet('git', ['init', '--quiet', '--initial-branch=main', dir]);
  await runQuiet('git', ['-C', dir, 'add', '--all']);
  await runQuiet('git', ['-C', dir, 'commit', '--quiet', '-m', 'plans']);
}

function taskText(id: string): string {
  return `\n### ${id} — what it is about\n\n\`\`\`task\nid: ${id}\nstatus: todo\npriority: high\n\`\`\`\n\nSome lines about the task,\nas people write them.\n\n- one thing\n- another\n\n---\n`;
}
