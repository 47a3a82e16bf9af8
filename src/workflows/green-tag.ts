import { isSwarmError } from '../contract/errors.ts';
import { writeTag } from '../git/tags.ts';
import { signaturesOf } from './authorship.ts';
import { pushTags } from './shared/push-shared.ts';
import { actorOf, type Workflow } from './workflow.ts';

/** `green/<UTC basic time>-<short commit>`, annotated, on the commit that was tested. */
export async function tagGreen(workflow: Workflow, commit: string): Promise<string> {
  const time = new Date(workflow.clock.now()).toISOString().replace(/[-:]|\.\d+/g, '');
  const name = `green/${time}-${commit.slice(0, 10)}`;
  const { author } = await signaturesOf(workflow, actorOf(workflow));
  await writeTag(workflow.git, {
    name,
    commit,
    message: `${workflow.repo.config.stabilize_command} passed\n`,
    tagger: author,
  });
  await publishTag(workflow, name);
  return name;
}

/** The tag is a mark for people: that it could not be published takes nothing from the green commit. */
async function publishTag(workflow: Workflow, name: string): Promise<void> {
  try {
    const pushed = await pushTags(workflow, [name]);
    if (workflow.shared && pushed.length === 0)
      workflow.notify(`${name} is not published: ${workflow.shared.remote} does not take it`);
  } catch (error) {
    if (!isSwarmError(error, 'unavailable')) throw error;
    workflow.notify(`${name} is not published: ${error.message}`);
  }
}
