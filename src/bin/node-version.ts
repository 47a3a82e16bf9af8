/** Tells people with an old Node what is needed, in words that an old Node can run. */
export function nodeIsNewEnough(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 18)) return true;
  process.stderr.write(`gitswarm needs Node 22.18 or newer; this is Node ${process.versions.node}.\n`);
  return false;
}
