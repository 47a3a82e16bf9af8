import { isId } from '../../base/ids.ts';
import { nearest } from '../../base/nearest.ts';
import { plain, plainLine } from '../../base/plain-text.ts';
import { Priority } from '../../contract/common.ts';
import { BlockId, PlanStatus } from '../../contract/workplans.ts';
import { TASK_ID_KEYS } from './edit-workplan.ts';
import type { ParsedWorkplan, TaskBlock, Workplan } from './parse-workplan.ts';
import { finding, type PlanFinding } from './plan-findings.ts';

/** A workplan as it stands in a checkout. */
export interface PlanFile {
  path: string;
  bytes: Buffer;
  parsed: ParsedWorkplan;
}

/** A block that is well-formed: what it says, and where. */
export interface PlanEntry {
  file: PlanFile;
  block: TaskBlock;
  blockId: string;
  status: PlanStatus;
  /** The id of its task, where the file has one. */
  taskId: string | undefined;
  dependsOn: string[];
}

/** Everything usable in these files, and what is wrong with the rest. Blocks that meet in one id are left out. */
export function readEntries(files: readonly PlanFile[]): { entries: PlanEntry[]; findings: PlanFinding[] } {
  const findings: PlanFinding[] = [];
  const found: PlanEntry[] = [];
  const plans = new Map<string, string>();
  for (const file of files) {
    const { path, parsed } = file;
    if (parsed.kind === 'unusable') {
      findings.push(
        finding('C-01', `${path} cannot be read: ${parsed.reason}`, { file: path, line: parsed.line }),
      );
    }
    if (parsed.kind !== 'workplan') continue;
    findings.push(...frontFindings(path, parsed.plan, plans));
    for (const block of parsed.plan.blocks) {
      const entry = readEntry(file, block);
      if ('blockId' in entry) found.push(entry);
      else findings.push(...entry.findings);
    }
  }
  return { entries: onlySingle(found, findings), findings };
}

function frontFindings(path: string, plan: Workplan, plans: Map<string, string>): PlanFinding[] {
  const findings = plan.problems.map(({ line, text }) =>
    finding('C-02', `The front matter: line ${line} ${text}`, { file: path, line }),
  );
  const id = plan.front.get('id')?.value ?? '';
  if (id === '') return [...findings, finding('C-02', 'The front matter has no id', { file: path, line: 1 })];
  const other = plans.get(id);
  if (other === undefined) plans.set(id, path);
  else findings.push(finding('C-03', `${other} has the id ${plainLine(id)}, too`, { file: path, line: 1 }));
  return findings;
}

/** A block's entry, or why it has none. */
function readEntry(file: PlanFile, block: TaskBlock): PlanEntry | { findings: PlanFinding[] } {
  const text = (key: string) => block.fields.get(key)?.value ?? '';
  const id = text('id');
  const where = { file: file.path, line: block.line, ...(BlockId.safeParse(id).success ? { task: id } : {}) };
  const problems = block.problems.map(({ line, text: what }) =>
    finding('C-04', `The task block: line ${line} ${what}`, { ...where, line }),
  );
  if (problems.length > 0) return { findings: problems };
  if (id === '') return { findings: [finding('C-04', 'The task block has no id', where)] };
  if (where.task === undefined) {
    const message = `"${plainLine(id).slice(0, 80)}" cannot be the id of a block: letters, digits and . _ - /`;
    return { findings: [finding('C-04', message, where)] };
  }
  const word = text('status');
  if (word === '') return { findings: [finding('C-04', `Block ${id} has no status`, where)] };
  const status = PlanStatus.safeParse(word);
  if (!status.success) {
    const near = nearest(word.toLowerCase(), PlanStatus.options);
    const hint = near ? `; did you mean ${near}?` : '';
    const message = `"${plainLine(word).slice(0, 80)}" is no status${hint}`;
    return {
      findings: [
        finding('C-07', message, { ...where, line: block.fields.get('status')?.line ?? block.line }),
      ],
    };
  }
  const taskId = TASK_ID_KEYS.map((key) => text(key))
    .find((each) => each !== '')
    ?.toLowerCase();
  if (taskId !== undefined && !isId(taskId)) {
    const message = `"${plainLine(taskId).slice(0, 80)}" is not the id of a task`;
    return { findings: [finding('C-12', message, where)] };
  }
  return { file, block, blockId: id, status: status.data, taskId, dependsOn: dependenciesOf(block) };
}

function dependenciesOf(block: TaskBlock): string[] {
  const field = block.fields.get('depends_on') ?? block.fields.get('depends-on');
  if (!field) return [];
  const words = field.items.length > 0 ? field.items : field.value.split(/[\s,]+/);
  return [...new Set(words.filter((word) => word !== ''))];
}

/** The entries whose block id and task id nobody else has; the others are told. */
function onlySingle(entries: readonly PlanEntry[], findings: PlanFinding[]): PlanEntry[] {
  const ids = countBy(entries, (entry) => entry.blockId);
  const tasks = countBy(entries, (entry) => entry.taskId);
  return entries.filter((entry) => {
    const { blockId, taskId, file, block } = entry;
    const where = { file: file.path, line: block.line, task: blockId };
    const twins = ids.get(blockId) ?? [];
    const sharers = taskId === undefined ? [] : (tasks.get(taskId) ?? []);
    if (twins.length > 1) findings.push(finding('C-05', `${blockId} is the id of ${placesOf(twins)}`, where));
    else if (sharers.length > 1) {
      findings.push(finding('C-06', `Task ${taskId} is named by ${placesOf(sharers)}`, where));
    }
    return twins.length === 1 && sharers.length <= 1;
  });
}

function countBy(
  entries: readonly PlanEntry[],
  key: (entry: PlanEntry) => string | undefined,
): Map<string, PlanEntry[]> {
  const groups = new Map<string, PlanEntry[]>();
  for (const entry of entries) {
    const name = key(entry);
    if (name === undefined) continue;
    const group = groups.get(name);
    if (group) group.push(entry);
    else groups.set(name, [entry]);
  }
  return groups;
}

function placesOf(entries: readonly PlanEntry[]): string {
  const places = entries.slice(0, 5).map(({ file, block }) => `${file.path}:${block.line}`);
  const rest = entries.length - places.length;
  return `${places.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

const LONGEST_TITLE = 500;
const LONGEST_DESCRIPTION = 20_000;

/** The text below a block, without the rule that parts it from the next section. */
function textBelow(bytes: Buffer, { body }: TaskBlock): string {
  const end = Math.min(body.end, body.start + 4 * LONGEST_DESCRIPTION);
  const text = plain(bytes.toString('utf8', body.start, end)).trim();
  const last = text.slice(text.lastIndexOf('\n') + 1);
  const isRule = /^(?:-{3,}|\*{3,}|_{3,})$/.test(last);
  return (isRule ? text.slice(0, -last.length).trimEnd() : text).slice(0, LONGEST_DESCRIPTION);
}

/** What a new task is told of its block: the heading above it, and the text below. */
export function taskTextsOf(entry: PlanEntry): { title: string; description: string; priority: Priority } {
  const { block, file, blockId } = entry;
  const title = plainLine(block.fields.get('title')?.value || block.heading || blockId).slice(
    0,
    LONGEST_TITLE,
  );
  const text = textBelow(file.bytes, block);
  const from = `From ${plainLine(file.path)}, block ${blockId}.`;
  const priority = Priority.safeParse(block.fields.get('priority')?.value);
  return {
    title: title.toWellFormed().trim() || blockId,
    description: (text === '' ? from : `${text}\n\n${from}`).toWellFormed(),
    priority: priority.success ? priority.data : 'medium',
  };
}
