import { SwarmError } from '../../contract/errors.ts';
import { endMerge } from '../../contract/merges.ts';
import { explain } from '../../domain/queue/explain.ts';
import { footprintOf, type LaneRule } from '../../domain/queue/lane-rules.ts';
import type { Decision } from '../../domain/queue/queue-events.ts';
import { wake } from '../../domain/queue/wake.ts';
import { changedPaths } from '../../git/diff.ts';
import { signaturesOf } from '../authorship.ts';
import { composeFor, type Queued } from '../compose-for.ts';
import { landMergeIntent, stopAtConflict } from '../land.ts';
import { withQueue } from '../queue-lock.ts';
import { type CheckRequest, type CheckRun, countFlake } from '../run-checks.ts';
import { actorOf, bufferTip, type Workflow } from '../workflow.ts';
import { type Candidate, makeCandidate } from './candidate.ts';
import { cannotRun, checkBaseline } from './check-baseline.ts';
import { isElsewhere, NOT_PUSHED } from './elsewhere.ts';
import { evict, type RedRun } from './evict.ts';
import { landTogether } from './land-together.ts';
import { laneRule } from './lane-rule.ts';
import { QueueRecord } from './queue-record.ts';
import { landedSettings, type QueueRun } from './queue-run.ts';
import { newsOf } from './sync-queue.ts';
import { TestRuns } from './test-runs.ts';
import { silentUndo } from './undo-guard.ts';
import { QueueWatch } from './watch-queue.ts';
import { sayWaiting } from './words.ts';

/** Refusals that are about this one landing; the queue goes on with the next. */
export const LEAVES_QUEUE = new Set<string>([
  'gate_not_met',
  'stale',
  'wrong_state',
  'conflict',
  'not_found',
]);

/**
 * Carries out what the scheduler decides: runs go on side by side in checkouts of their own, what is green lands, what is
 * red twice leaves. Everything is recorded before it is done, so the next driver goes on where this one died.
 */
export async function driveTested(workflow: Workflow, run: QueueRun, until?: string): Promise<void> {
  const drive = await Drive.begin(workflow, run);
  try {
    await drive.go(until);
  } finally {
    await drive.end();
  }
}

class Drive {
  readonly #workflow: Workflow;
  readonly #run: QueueRun;
  readonly #record: QueueRecord;
  readonly #watch: QueueWatch;
  readonly #tests: TestRuns;
  readonly #candidates = new Map<string, Extract<Candidate, { kind: 'made' }>>();
  readonly #reds = new Map<string, RedRun>();
  /** Landings that this process may not carry. */
  readonly #held = new Set<string>();
  readonly #guarded = new Set<string>();
  #queued = new Map<string, Queued>();
  #unpushed: Queued[] = [];
  #frozenReason: string | null = null;
  #rule: LaneRule;
  #tip: string;

  private constructor(workflow: Workflow, run: QueueRun, place: { rule: LaneRule; tip: string }) {
    this.#workflow = workflow;
    this.#run = run;
    this.#record = new QueueRecord(workflow.machine);
    this.#tests = new TestRuns(workflow);
    this.#watch = new QueueWatch(workflow);
    this.#rule = place.rule;
    this.#tip = place.tip;
  }

  static async begin(workflow: Workflow, run: QueueRun): Promise<Drive> {
    const tip = await bufferTip(workflow);
    return new Drive(workflow, run, { tip, rule: await laneRule(workflow, tip) });
  }

  async go(until: string | undefined): Promise<void> {
    this.#record.restartIfLong();
    const { state } = this.#record;
    this.#record.tell(...[...state.runs.keys()].map((run) => ({ kind: 'lost' as const, run })));
    await this.#catchUp();
    // What was decided and is still to be done has lost its runs: it is decided anew.
    const open = [...state.entries.values()].filter(
      ({ phase }) => phase === 'landing' || phase === 'evicting',
    );
    if (open.length > 0) this.#record.tell({ kind: 'returned', ids: open.map(({ wish }) => wish.id) });
    const since = this.#run.landed.length;
    while (until === undefined || this.#record.state.entries.has(until)) {
      const decisions = this.#decide();
      for (const decision of decisions) {
        await this.#carryOut(decision);
        // What else was decided goes by other settings now: it is decided anew.
        if (landedSettings(this.#run, since)) return;
      }
      if (decisions.length === 0) {
        if (this.#tests.isIdle) break;
        for (const answer of await this.#tests.answers()) this.#takeAnswer(answer);
      }
      await this.#catchUp();
    }
  }

  /** Ends what still runs and tells why the rest has to wait. */
  async end(): Promise<void> {
    await this.#tests.stopAll();
    const { state } = this.#record;
    this.#record.tell(...[...state.runs.keys()].map((run) => ({ kind: 'lost' as const, run })));
    const asked = this.#asked();
    for (const id of state.entries.keys()) {
      const item = this.#queued.get(id);
      const why = explain(state, id, asked);
      if (item && why)
        this.#run.waiting.push({ ...item, reason: sayWaiting(why, this.#queued, this.#frozenReason) });
    }
    for (const item of this.#unpushed) this.#run.waiting.push({ ...item, reason: NOT_PUSHED });
    this.#record.forgetIfEmpty();
  }

  #asked() {
    return { now: this.#workflow.clock.now(), runners: this.#workflow.repo.config.queue.runners };
  }

  #decide(): Decision[] {
    const decisions = wake(this.#record.state, this.#asked());
    this.#record.tell(...decisions);
    if (decisions.length > 0) this.#workflow.reach('queue.decided');
    return decisions;
  }

  /** Takes in what came to the queue and to the buffer from elsewhere. */
  async #catchUp(): Promise<void> {
    const tip = await bufferTip(this.#workflow);
    if (tip !== this.#tip) {
      const paths = (await changedPaths(this.#workflow.git, this.#tip, tip)).map(({ path }) => path);
      this.#tip = tip;
      this.#rule = await laneRule(this.#workflow, tip);
      this.#record.tell({ kind: 'outdated', footprint: footprintOf(paths, this.#rule) });
    }
    if (!(await this.#watch.hasNews())) return;
    const news = await newsOf(this.#workflow, this.#record.state, { rule: this.#rule, held: this.#held });
    this.#queued = news.queued;
    this.#unpushed = news.unpushed;
    this.#frozenReason = news.frozenReason;
    this.#record.tell(...news.events);
  }

  async #carryOut(decision: Decision): Promise<void> {
    switch (decision.kind) {
      case 'start':
        return this.#start(decision);
      case 'cancel':
        this.#tests.cancel(decision.run);
        return;
      case 'land':
        return this.#land(decision);
      case 'evict':
        return this.#evict(decision);
    }
  }

  async #start(decision: Extract<Decision, { kind: 'start' }>): Promise<void> {
    const { run, on, about } = decision;
    // Somebody may have left because of what was carried out just before.
    if (!this.#record.state.runs.has(run)) return;
    const items = on.flatMap((id) => this.#queued.get(id) ?? []);
    for (const id of about) if (await this.#refuseUndo(id)) return;
    const as = await signaturesOf(this.#workflow, actorOf(this.#workflow));
    const candidate = await makeCandidate(this.#workflow, { tip: this.#tip, items, as });
    if (candidate.kind === 'conflict') return this.#cannotMerge(decision, candidate);
    if (candidate.kind === 'refused') {
      this.#record.tell({ kind: 'lost', run });
      this.#watch.expect(candidate.item.merge.id);
      return this.#refuse(candidate.item, candidate.error);
    }
    this.#candidates.set(run, candidate);
    const names = about.map((id) => nameOf(this.#queued.get(id))).join(', ');
    this.#workflow.notify(`${decision.purpose === 'confirm' ? 'testing once more' : 'testing'}: ${names}`);
    const subject = (about.length === 1 ? this.#queued.get(about[0] ?? '')?.stream?.id : undefined) ?? run;
    this.#tests.start(run, candidate.commit, {
      ...this.#request(subject),
      fresh: decision.purpose === 'confirm',
    });
  }

  /** Asked once for each, before any run is spent on it. */
  async #refuseUndo(id: string): Promise<boolean> {
    const item = this.#queued.get(id);
    if (!item || this.#guarded.has(id)) return false;
    this.#guarded.add(id);
    const error = await silentUndo(this.#workflow, item);
    if (!error) return false;
    this.#watch.expect(id);
    await this.#refuse(item, error);
    return true;
  }

  #request(subject: string): CheckRequest {
    const { config } = this.#workflow.repo;
    return {
      command: config.stabilize_command ?? '',
      timeoutMs: config.queue.timeout,
      kind: 'test',
      subject,
    };
  }

  /** As text it clashes: with the buffer, then it leaves; or with one that has not landed, then it waits for that one. */
  async #cannotMerge(
    { run, on, about }: Extract<Decision, { kind: 'start' }>,
    { item, before, files }: Extract<Candidate, { kind: 'conflict' }>,
  ): Promise<void> {
    this.#record.tell({ kind: 'lost', run });
    const as = await signaturesOf(this.#workflow, actorOf(this.#workflow));
    const alone =
      before.length === 0 ? 'conflict' : (await composeFor(this.#workflow, item)(this.#tip, as)).kind;
    if (alone !== 'conflict') {
      const waits = about.includes(item.merge.id) ? [item.merge.id] : about;
      const behind = on.filter((id) => !waits.includes(id));
      for (const id of waits) this.#record.tell({ kind: 'deferred', id, behind });
      return;
    }
    this.#watch.expect(item.merge.id);
    const landing = await stopAtConflict(this.#workflow, item.merge, files, this.#tip);
    if (landing.kind === 'conflict')
      this.#run.conflicted.push({ ...item, stream: landing.stream ?? item.stream, files });
    this.#record.tell({ kind: 'left', id: item.merge.id });
  }

  #takeAnswer({ run, check }: { run: string; check: CheckRun }): void {
    const known = this.#record.state.runs.get(run);
    const candidate = this.#candidates.get(run);
    if (!known || !candidate) return;
    if (check.result === 'error') {
      throw this.#workflow.signal?.aborted
        ? new SwarmError(
            'interrupted',
            'The tests were stopped; what they were about is still in the queue.',
            {
              fix: 'gitswarm queue run',
            },
          )
        : cannotRun(this.#request('').command, check.output);
    }
    if (!check.cached) this.#run.runs++;
    if (check.result === 'red') {
      this.#reds.set(run, { commit: candidate.commit, output: check.output, outputId: check.outputId });
    } else if (known.purpose === 'confirm') countFlake(this.#workflow, this.#request('').command);
    const { durationMs: ms, result } = check;
    this.#record.tell({ kind: 'finished', run, result, ms, tree: candidate.tree });
    this.#workflow.reach('queue.answered');
  }

  async #land({ ids, run, tree }: Extract<Decision, { kind: 'land' }>): Promise<void> {
    const isStill = this.#record.state.landings.some(
      (landing) => landing.ids === ids || landing.ids.join() === ids.join(),
    );
    if (!isStill) return;
    const items = ids.flatMap((id) => this.#queued.get(id) ?? []);
    for (const { merge } of items) this.#watch.expect(merge.id);
    try {
      await withQueue(this.#workflow, () =>
        tree === null ? this.#landPlain(items) : this.#landTested(items, { run, tree }),
      );
    } catch (error) {
      this.#record.tell({ kind: 'returned', ids });
      throw error;
    }
  }

  async #landTested(items: Queued[], { run, tree }: { run: string | null; tree: string }): Promise<void> {
    const ids = items.map(({ merge }) => merge.id);
    const made = this.#candidates.get(run ?? '');
    const isWhole = made?.steps.length === items.length;
    const result = await landTogether(this.#workflow, {
      items,
      tree,
      rule: this.#rule,
      made: isWhole ? made : undefined,
    });
    if (result.kind === 'landed') {
      for (const { item, landing } of result.landings) {
        this.#run.landed.push({ merge: item.merge, stream: landing.landed.stream ?? item.stream, landing });
        this.#workflow.notify(`landed: ${nameOf(item)}`);
      }
      this.#tip = result.landings.at(-1)?.landing.commit ?? this.#tip;
      this.#record.tell({ kind: 'landed', ids });
    } else if (result.kind === 'conflict') {
      this.#run.conflicted.push({ ...result.item, files: result.landing.files });
      this.#record.tell({ kind: 'left', id: result.item.merge.id });
    } else if (result.kind === 'refused') await this.#refuse(result.item, result.error);
    else {
      this.#workflow.notify(
        `not what was tested any more, testing again: ${result.paths.slice(0, 3).join(', ')}`,
      );
      this.#record.tell({ kind: 'returned', ids });
    }
  }

  async #landPlain([item]: Queued[]): Promise<void> {
    if (!item) return;
    const { merge } = item;
    try {
      const landing = await landMergeIntent(this.#workflow, merge, composeFor(this.#workflow, item));
      if (landing.kind === 'conflict') {
        this.#run.conflicted.push({ ...item, files: landing.files });
        this.#record.tell({ kind: 'left', id: merge.id });
        return;
      }
      this.#run.landed.push({ merge, stream: landing.landed.stream ?? item.stream, landing });
      this.#tip = landing.commit;
      this.#record.tell({ kind: 'landed', ids: [merge.id] });
    } catch (error) {
      if (!(error instanceof SwarmError)) throw error;
      await this.#refuse(item, error);
    }
  }

  /** The gate said no at the last moment. */
  async #refuse(item: Queued, error: SwarmError): Promise<void> {
    const { id } = item.merge;
    if (isElsewhere(this.#workflow, error)) {
      // What became of it, the ledger tells whoever waits for it.
      this.#held.add(id);
    } else if (error.code === 'not_allowed') {
      // Somebody else may carry it; it keeps its place.
      this.#held.add(id);
      this.#run.waiting.push({ ...item, reason: error.message });
    } else if (LEAVES_QUEUE.has(error.code)) {
      const ended = await this.#workflow.authority.call(endMerge, {
        merge: id,
        state: 'refused',
        reason: error.message,
      });
      this.#run.refused.push({ ...item, stream: ended.stream ?? item.stream, error });
    } else throw error;
    this.#record.tell({ kind: 'left', id });
  }

  async #evict({ id, runs }: Extract<Decision, { kind: 'evict' }>): Promise<void> {
    const item = this.#queued.get(id);
    const red = this.#reds.get(runs.at(-1) ?? '');
    if (!item || !red) {
      this.#record.tell({ kind: 'returned', ids: [id] });
      return;
    }
    const request = this.#request(item.stream?.id ?? id);
    try {
      this.#run.runs += await checkBaseline(this.#workflow, this.#tip, request);
      this.#watch.expect(id);
      const evicted = await evict(this.#workflow, item, { red, tip: this.#tip, request });
      this.#run.runs += evicted.runs;
      this.#workflow.notify(`left the queue: ${evicted.packet.summary}`);
      this.#run.evicted.push({ merge: item.merge, stream: evicted.stream, packet: evicted.packet });
    } catch (error) {
      this.#record.tell({ kind: 'returned', ids: [id] });
      throw error;
    }
    this.#record.tell({ kind: 'evicted', id });
  }
}

function nameOf(item: Queued | undefined): string {
  return item?.stream?.handle ?? item?.merge.handle ?? '';
}
