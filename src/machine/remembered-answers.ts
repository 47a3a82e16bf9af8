import type { Machine } from './machine.ts';

/** What the server last answered to a question, for the time when it is away. */
export interface RememberedAnswer {
  answer: unknown;
  askedAt: string;
}

export function findRememberedAnswer(machine: Machine, question: string): RememberedAnswer | undefined {
  const sql = 'select answer, asked_at from remembered_answer where question = ?';
  const row = machine.get<{ answer: string; asked_at: string }>(sql, question);
  return row && { answer: JSON.parse(row.answer) as unknown, askedAt: row.asked_at };
}

/** What was answered after a time, whatever the question was. */
export function listAnswersSince(machine: Machine, time: string): unknown[] {
  const sql = 'select answer from remembered_answer where asked_at > ? order by asked_at';
  return machine.all<{ answer: string }>(sql, time).map(({ answer }) => JSON.parse(answer) as unknown);
}

/** Keeps each answer under all the questions that it answers. */
export function rememberAnswers(
  machine: Machine,
  answers: readonly { questions: readonly string[]; answer: unknown }[],
  askedAt: string,
): void {
  machine.write(() => {
    for (const { questions, answer } of answers) {
      const text = JSON.stringify(answer);
      for (const question of new Set(questions))
        machine.run('insert or replace into remembered_answer values (?, ?, ?)', question, text, askedAt);
    }
  });
}

/** Forgets what was answered before a time, so that the store does not grow without end. */
export function forgetAnswersBefore(machine: Machine, time: string): number {
  return machine.run('delete from remembered_answer where asked_at < ?', time);
}
