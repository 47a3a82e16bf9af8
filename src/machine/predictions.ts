import type { Machine } from './machine.ts';

/** Which files of two heads conflict on a tip of the buffer; none where they merge. Answers are kept for one tip only. */
export interface Prediction {
  ours: string;
  theirs: string;
  files: string[];
}

/** Everything that is known on this tip of the buffer. */
export function listPredictions(machine: Machine, buffer: string): Prediction[] {
  return machine
    .all<{ ours: string; theirs: string; files: string }>(
      'select ours, theirs, files from prediction where buffer = ?',
      buffer,
    )
    .map(({ ours, theirs, files }) => ({ ours, theirs, files: files === '' ? [] : files.split('\0') }));
}

export function recordPredictions(
  machine: Machine,
  buffer: string,
  predictions: readonly Prediction[],
): void {
  if (predictions.length === 0) return;
  machine.write(() => {
    machine.run('delete from prediction where buffer <> ?', buffer);
    for (const { ours, theirs, files } of predictions) {
      machine.run(
        'insert into prediction values (?, ?, ?, ?) on conflict do update set files = excluded.files',
        ours,
        theirs,
        buffer,
        files.join('\0'),
      );
    }
  });
}
