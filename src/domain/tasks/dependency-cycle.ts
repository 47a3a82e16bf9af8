/**
 * The way from a task back to itself if it were to depend on `dependsOn`, or undefined. `edges` holds what every task
 * depends on now; the task's own edges are the new ones.
 */
export function findDependencyCycle(
  taskId: string,
  dependsOn: readonly string[],
  edges: ReadonlyMap<string, readonly string[]>,
): string[] | undefined {
  const cameFrom = new Map<string, string>();
  const waiting: string[] = [];
  const visit = (from: string, to: readonly string[]) => {
    for (const id of to) {
      if (cameFrom.has(id)) continue;
      cameFrom.set(id, from);
      waiting.push(id);
    }
  };
  visit(taskId, dependsOn);
  for (let id = waiting.pop(); id !== undefined && id !== taskId; id = waiting.pop())
    visit(id, edges.get(id) ?? []);
  if (!cameFrom.has(taskId)) return undefined;
  const path = [taskId];
  for (let id = cameFrom.get(taskId); id !== undefined && id !== taskId; id = cameFrom.get(id))
    path.unshift(id);
  return [taskId, ...path];
}
