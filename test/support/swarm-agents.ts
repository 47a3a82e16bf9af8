/**
 * Agents of the stories: programs that read their prompt, do what the title of their task says, and end. The first
 * argument is a folder in which they can wait for one another.
 */

const START = `import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { spawn } from 'node:child_process';
const [top] = process.argv.slice(2);
const title = process.env.GITSWARM_TASK_TITLE;
const attempt = Number(process.env.GITSWARM_ATTEMPT);
let prompt = '';
for await (const chunk of process.stdin) prompt += chunk;
const slug = title.replace(/[^A-Za-z0-9]+/g, '-');
/** Waits until all of these have come this far. */
const meet = async (name, others) => {
  mkdirSync(top + '/met', { recursive: true });
  writeFileSync(top + '/met/' + name, '');
  while (!others.every((other) => existsSync(top + '/met/' + other))) await pause(10);
};
`;

/**
 * `write …` adds a file; `append A` and `append B` add a line at the same place and keep both when they meet;
 * `break …` writes something broken until it is told that the check fails.
 */
export const worker = `${START}
const [verb, which] = title.split(' ');
if (verb === 'append') {
  const text = readFileSync('list.txt', 'utf8');
  if (text.includes('<<<<<<<')) {
    if (!prompt.includes('list.txt')) throw new Error('nobody told me of the conflict');
    writeFileSync('list.txt', text.split('\\n').filter((line) => !/^(<{7}|={7}|>{7})/.test(line)).join('\\n'));
  } else {
    await meet(which, ['A', 'B']);
    writeFileSync('list.txt', text.replace('top\\n', 'top\\n' + which + '\\n'));
  }
} else if (verb === 'break') {
  const told = prompt.includes('is broken');
  writeFileSync('work/' + slug + '.txt', told ? 'mended\\n' : 'BROKEN\\n');
} else if (title.startsWith('Fix ')) {
  if (!prompt.includes('is broken')) throw new Error('nobody told me what is broken');
  writeFileSync('work/broken-once.txt', 'mended\\n');
} else if (verb === 'land-broken') {
  writeFileSync('work/broken-once.txt', 'BROKEN\\n');
} else {
  writeFileSync('work/' + slug + '.txt', title + '\\n');
}
console.log('did ' + title);
`;

/** Approves what its prompt shows; one who mumbles gives no verdict on the first task that can be read at first. */
export const reviewer = `${START}
if (!prompt.includes('diff --git') && !prompt.includes('work/') && !prompt.includes('list.txt')) throw new Error('no diff');
if (process.argv[3] === 'mumbles' && title === 'write 1' && attempt === 1) console.log('looks good, I approve');
else if (process.argv[3] === 'writes') writeFileSync(process.env.GITSWARM_VERDICT_FILE, JSON.stringify({ verdict: 'approve' }));
else console.log(JSON.stringify({ verdict: 'approve', feedback: 'fine' }));
`;

/** Asks for changes until the file holds the word that it wants. */
export const criticalReviewer = `${START}
const good = prompt.includes('+mended');
console.log(JSON.stringify(good ? { verdict: 'approve' } : { verdict: 'request_changes', feedback: 'this is broken' }));
`;

/** Trouble of every kind, by title. */
export const troublemaker = `${START}
if (title === 'hang') {
  writeFileSync('work/half.txt', 'half done\\n');
  if (attempt === 1) process.on('SIGTERM', () => {});
  await new Promise(() => setInterval(() => {}, 1000));
} else if (title === 'garbage') {
  for (let i = 0; i < 200; i++) process.stdout.write(Buffer.alloc(10_000, i));
  process.stdout.write('{"verdict":"approve"}\\u001b[2J\\u001b]0;owned\\u0007');
  writeFileSync('work/garbage.txt', 'ok\\n');
} else if (title === 'fork') {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'inherit' });
  child.unref();
  writeFileSync(top + '/fork.pid', String(child.pid));
  writeFileSync('work/fork.txt', 'ok\\n');
} else if (title === 'crash') {
  writeFileSync('work/crash.txt', 'half done\\n');
  process.exit(3);
} else if (title === 'wipe') {
  rmSync('.git');
  rmSync('work', { recursive: true });
} else if (title === 'lie') {
  console.log('I have done everything and all tests pass');
}
`;

/** Begins, says so, and goes on only when it is let. */
export const patient = `${START}
appendFileSync(top + '/starts', title + '\\n');
if (!existsSync('work/' + slug + '.txt')) writeFileSync('work/' + slug + '.txt', 'begun\\n');
while (!existsSync(top + '/go')) await pause(10);
appendFileSync('work/' + slug + '.txt', 'ended\\n');
`;
