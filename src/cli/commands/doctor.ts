import { plainLine } from '../../base/plain-text.ts';
import { examine } from '../../workflows/doctor/doctor.ts';
import type { Command } from '../command.ts';
import { flagOption } from '../options.ts';
import { count } from '../output/hints.ts';

const doctor: Command = {
  name: 'doctor',
  summary: 'Look at everything that can be wrong, and with --fix mend it.',
  actor: 'reader',
  options: [{ flags: '--fix', summary: 'mend what can be mended without losing anything' }],
  async run(session, _args, options) {
    const fix = flagOption(options, 'fix');
    const diagnosis = await examine(await session.workflow(), { fix });
    const { style } = session.output;
    return {
      data: diagnosis,
      exit: diagnosis.remaining > 0 ? 6 : 0,
      text: () => {
        const lines = diagnosis.findings.flatMap((finding) => {
          const mark =
            finding.level === 'ok'
              ? style.green('ok')
              : finding.level === 'note'
                ? style.yellow('!')
                : style.red('x');
          const head = `${mark.padEnd(finding.level === 'ok' ? 2 : 1)} ${finding.check.padEnd(11)} ${plainLine(finding.text)}`;
          if (finding.mended) return [head, `   mended: ${plainLine(finding.mended)}`];
          if (finding.level === 'ok') return [head];
          const todo = finding.mendable ? 'gitswarm doctor --fix' : finding.fix;
          return todo ? [head, `   fix: ${plainLine(todo)}`] : [head];
        });
        lines.push(
          diagnosis.remaining === 0 ? 'Nothing is wrong.' : `${count(diagnosis.remaining, 'problem')} left.`,
        );
        return lines.join('\n');
      },
      next: diagnosis.remaining > 0 && !fix ? 'gitswarm doctor --fix' : undefined,
    };
  },
};

export const commands = [doctor];
