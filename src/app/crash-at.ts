/** A test of recovery asks the process to die, without any warning, when it reaches a step. */
export function crashAt(wanted: string | undefined, step: string): void {
  if (wanted === step) process.kill(process.pid, 'SIGKILL');
}
