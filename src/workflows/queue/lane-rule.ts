import type { LaneRule } from '../../domain/queue/lane-rules.ts';
import { mergeDriven } from '../../domain/queue/merge-drivers.ts';
import { readBlob } from '../../git/objects.ts';
import type { Workflow } from '../workflow.ts';

const OWNERS_FILES = ['.github/CODEOWNERS', 'CODEOWNERS', 'docs/CODEOWNERS'];

/** How paths make lanes in this repository, by its settings and the files on the buffer. */
export async function laneRule(workflow: Workflow, tip: string): Promise<LaneRule> {
  const { lanes } = workflow.repo.config.queue;
  const attributes = await readBlob(workflow.git, tip, '.gitattributes');
  const rule: LaneRule = { lanes, mergesItself: mergeDriven(attributes?.toString('utf8') ?? '') };
  return lanes === 'owner' ? { ...rule, owners: await ownersText(workflow, tip) } : rule;
}

async function ownersText(workflow: Workflow, tip: string): Promise<string> {
  for (const path of OWNERS_FILES) {
    const text = await readBlob(workflow.git, tip, path);
    if (text) return text.toString('utf8');
  }
  return '';
}
