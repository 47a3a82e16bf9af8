import { type Clock, systemClock } from '../../base/clock.ts';
import { exitCodeOf, type SwarmError } from '../../contract/errors.ts';
import { errorEnvelope, resultEnvelope } from './envelope.ts';
import { type LiveLines, liveLines } from './live-lines.ts';
import { type Progress, showProgress, silentProgress } from './progress.ts';
import { createStyle, onlyColours, type Style } from './style-text.ts';
import { type TextSink, textWriter } from './text-writer.ts';

export interface OutputSettings {
  /** Standard output holds one JSON document and nothing else. */
  json: boolean;
  /** No notes and no progress; results and errors are still told. */
  quiet: boolean;
  color: boolean;
  stdout: TextSink;
  stderr: TextSink;
  /** Whether a person watches stderr. */
  isTerminal: boolean;
  clock?: Clock;
}

export interface Output {
  isJson: boolean;
  style: Style;
  /** Columns of the terminal; undefined where there is none, and nothing has to be cut. */
  width: number | undefined;
  /** The answer: `data` to programs, `text` to people. Once per command. */
  result(data: unknown, text: () => string): void;
  /**
   * For a command whose result is a stream: answers what writes one item of it to stdout, a JSON document a line to
   * programs. Nothing else follows there.
   */
  stream(): (data: unknown, text: string) => void;
  /** Tells the error, waits until it is written, and ends the process through `exit` with the code of the error. */
  fail(error: SwarmError, exit: (code: number) => void): Promise<void>;
  /** A remark on stderr. */
  note(text: string): void;
  progress(label: string): Progress;
  /** Several lines that are drawn again and again below the notes; undefined where no person watches. */
  live(): LiveLines | undefined;
  /** Waits until everything is written; to be awaited before the process ends. */
  flush(): Promise<void>;
}

export function createOutput(settings: OutputSettings): Output {
  const { json, quiet, color, isTerminal, clock = systemClock } = settings;
  const stdout = textWriter(settings.stdout);
  const stderr = settings.stderr === settings.stdout ? stdout : textWriter(settings.stderr);
  const style = createStyle(color);
  const clean = (text: string) => onlyColours(text, color);
  let isAnswered = false;
  let isStream = false;
  let running: Pick<Progress, 'clear' | 'done'> | undefined;

  const endProgress = () => {
    running?.done();
    running = undefined;
  };
  const flush = async () => {
    await Promise.all([stdout.flush(), stderr.flush()]);
  };
  return {
    isJson: json,
    style,
    width: stdout.columns,
    result: (data, text) => {
      if (isAnswered) throw new Error('A command gives one result');
      isAnswered = true;
      endProgress();
      if (isStream) return;
      stdout.write(json ? resultEnvelope(data) : withNewline(clean(text())));
    },
    stream: () => {
      isStream = true;
      endProgress();
      return (data, text) => stdout.write(json ? `${JSON.stringify(data)}\n` : withNewline(clean(text)));
    },
    fail: async (error, exit) => {
      endProgress();
      if (json && !isAnswered && !isStream) stdout.write(errorEnvelope(error));
      else stderr.write(clean(errorText(error, style)));
      isAnswered = true;
      await flush().catch(() => {}); // the exit code is all that is left to tell
      exit(exitCodeOf(error.code));
    },
    note: (text) => {
      if (quiet) return;
      running?.clear();
      stderr.write(withNewline(clean(text)));
    },
    progress: (label) => {
      if (quiet) return silentProgress;
      endProgress();
      const columns = stderr.columns ?? 100;
      const progress = showProgress(label, { write: stderr.write, isTerminal, columns, clock });
      running = progress;
      return progress;
    },
    live: () => {
      if (quiet || !isTerminal) return undefined;
      endProgress();
      const lines = liveLines({ write: stderr.write, columns: stderr.columns ?? 100 });
      running = lines;
      return lines;
    },
    flush,
  };
}

function errorText(error: SwarmError, style: Style): string {
  const lines = [`${style.red('error:')} ${error.message}`];
  if (error.fix !== undefined) lines.push(`${style.dim('fix:')} ${error.fix}`);
  return `${lines.join('\n')}\n`;
}

function withNewline(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}
