import { isId } from '../../base/ids.ts';
import { nearest } from '../../base/nearest.ts';
import { plain, plainLine } from '../../base/plain-text.ts';
import { Priority } from '../../contract/common.ts';
import { isBlockId, isPlanStatus, PlanStatus } from '../../contract/workplans.ts';
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
  dependsOn: readonly string[];
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
      if (entry) found.push(entry);
      else findings.push(...whyNot(file, block));
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

/** A block's entry; undefined where it has none, and `whyNot` says why. */
function readEntry(file: PlanFile, block: TaskBlock): PlanEntry | undefined {
  const blockId = textOf(block, 'id');
  const status = textOf(block, 'status');
  if (block.problems.length > 0 || !isBlockId(blockId) || !isPlanStatus(status)) return undefined;
  const taskId = taskIdOf(block);
  if (taskId !== undefined && !isId(taskId)) return undefined;
  return { file, block, blockId, status, taskId, dependsOn: dependenciesOf(block) };
}

function whyNot(file: PlanFile, block: TaskBlock): PlanFinding[] {
  const id = textOf(block, 'id');
  const shown = (text: string) => `"${plainLine(text).slice(0, 80)}"`;
  const where = { file: file.path, line: block.line, ...(isBlockId(id) ? { task: id } : {}) };
  if (block.problems.length > 0) {
    return block.problems.map(({ line, text }) =>
      finding('C-04', `The task block: line ${line} ${text}`, { ...where, line }),
    );
  }
  if (id === '') return [finding('C-04', 'The task block has no id', where)];
  if (!isBlockId(id)) {
    const message = `${shown(id)} cannot be the id of a block: letters, digits and . _ - /`;
    return [finding('C-04', message, where)];
  }
  const status = textOf(block, 'status');
  if (status === '') return [finding('C-04', `Block ${id} has no status`, where)];
  if (!isPlanStatus(status)) {
    const near = nearest(status, PlanStatus.options);
    const message = `${shown(status)} is no status${near ? `; did you mean ${near}?` : ''}`;
    return [finding('C-07', message, { ...where, line: block.fields.get('status')?.line ?? block.line })];
  }
  return [finding('C-12', `${shown(taskIdOf(block) ?? '')} is not the id of a task`, where)];
}

function textOf(block: TaskBlock, key: string): string {
  return block.fields.get(key)?.value ?? '';
}

function taskIdOf(block: TaskBlock): string | undefined {
  for (const key of TASK_ID_KEYS) {
    const id = textOf(block, key);
    if (id !== '') return id.toLowerCase();
  }
  return undefined;
}

const NONE: readonly string[] = [];

function dependenciesOf(block: TaskBlock): readonly string[] {
  const field = block.fields.get('depends_on') ?? block.fields.get('depends-on');
  if (!field) return NONE;
  const words = field.items.length > 0 ? field.items : field.value.split(/[\s,]+/);
  return [...new Set(words.filter((word) => word !== ''))];
}

/** The entries whose block id and task id nobody else has; the others are told. */
function onlySingle(entries: readonly PlanEntry[], findings: PlanFinding[]): PlanEntry[] {
  const twins = metAgain(entries, (entry) => entry.blockId);
  const sharers = metAgain(entries, (entry) => entry.taskId);
  if (twins.size === 0 && sharers.size === 0) return [...entries];
  return entries.filter((entry) => {
    const { blockId, taskId, file, block } = entry;
    const where = { file: file.path, line: block.line, task: blockId };
    const same = twins.get(blockId);
    const shared = taskId === undefined ? undefined : sharers.get(taskId);
    if (same) findings.push(finding('C-05', `${blockId} is the id of ${placesOf(same)}`, where));
    else if (shared) findings.push(finding('C-06', `Task ${taskId} is named by ${placesOf(shared)}`, where));
    return !same && !shared;
  });
}

/** The entries that meet in one key, by that key. */
function metAgain(
  entries: readonly PlanEntry[],
  key: (entry: PlanEntry) => string | undefined,
): Map<string, PlanEntry[]> {
  const seen = new Set<string>();
  const again = new Map<string, PlanEntry[]>();
  for (const entry of entries) {
    const name = key(entry);
    if (name === undefined) continue;
    if (seen.has(name)) again.set(name, []);
    seen.add(name);
  }
  if (again.size > 0) for (const entry of entries) again.get(key(entry) ?? '')?.push(entry);
  return again;
}

function placesOf(entries: readonly PlanEntry[]): string {
  const places = entries.slice(0, 5).map(({ file, block }) => `${file.path}:${block.line}`);
  const rest = entries.length - places.length;
  return `${places.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

const LONGEST_TITLE = 500;
const LONGEST_DESCRIPTION = 8_000;

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
