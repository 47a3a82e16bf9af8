import { plainLine } from '../../base/plain-text.ts';
import type { PlanFinding, Severity } from '../../domain/workplans/plan-findings.ts';
import type { PlanChange, PlanReport } from '../../workflows/plan-report.ts';
import type { Answer } from '../command.ts';
import { count } from '../output/hints.ts';
import type { Style } from '../output/style-text.ts';

export interface PlanAnswer {
  style: Style;
  width: number | undefined;
  isCheck: boolean;
  /** Something was committed that a remote does not have. */
  canPush: boolean;
}

/** What check or fix has found and done: of one repository its report, of several all of them. */
export function planAnswer(reports: PlanReport[], look: PlanAnswer): Answer {
  const [only] = reports;
  const findings = reports.flatMap((report) => report.findings);
  const isBad = findings.some((each) => each.severity === 'ERROR');
  return {
    data: reports.length === 1 && only ? only : together(reports),
    exit: isBad ? GATE_NOT_MET : 0,
    text: () => reports.map((report) => reportText(report, look, reports.length > 1)).join('\n\n'),
    next: nextStep(findings, look),
  };
}

const GATE_NOT_MET = 6;

function together(reports: PlanReport[]) {
  const each = <T extends object>(pick: (report: PlanReport) => T[]) =>
    reports.flatMap((report) => pick(report).map((item) => ({ repo: report.repo, ...item })));
  return {
    repo: null,
    findings: each((report) => report.findings),
    changed: each((report) => report.changed),
    repos: reports,
  };
}

function nextStep(findings: PlanFinding[], { isCheck, canPush }: PlanAnswer): string | undefined {
  const has = (...codes: string[]) => findings.some((each) => codes.includes(each.code));
  if (has('C-14') && findings.some((each) => each.code === 'C-14' && each.file === undefined)) {
    return 'gitswarm plan fix --pull';
  }
  if (isCheck) return has('C-10', 'C-11', 'C-13', 'C-17') ? 'gitswarm plan fix' : firstExplanation(findings);
  return canPush ? 'git push' : firstExplanation(findings);
}

function firstExplanation(findings: PlanFinding[]): string | undefined {
  const worst =
    findings.find((each) => each.severity === 'ERROR') ?? findings.find((each) => each.code === 'C-15');
  return worst && `gitswarm plan check --explain ${worst.code}`;
}

function reportText(report: PlanReport, look: PlanAnswer, isOneOfMany: boolean): string {
  const lines = [
    ...(isOneOfMany ? [look.style.bold(plainLine(report.repo))] : []),
    ...report.findings.map((each) => findingText(each, look)),
    ...report.changed.map((each) => `  ${changeText(each)}`),
  ];
  if (report.committed !== undefined) lines.push(`committed ${report.committed.slice(0, 10)}`);
  return [...lines, summaryText(report)].join('\n');
}

function findingText(
  { code, severity, message, file, line, task }: PlanFinding,
  { style }: PlanAnswer,
): string {
  const place = [
    file === undefined ? '' : `${plainLine(file)}${line === undefined ? '' : `:${line}`}`,
    task ?? '',
  ]
    .filter((part) => part !== '')
    .join(' ');
  const colour: Record<Severity, (text: string) => string> = {
    ERROR: style.red,
    WARN: style.yellow,
    INFO: style.dim,
  };
  return `${colour[severity](severity.padEnd(5))} ${code}  ${place === '' ? '' : `${place}  `}${plainLine(message)}`;
}

function changeText(change: PlanChange): string {
  switch (change.kind) {
    case 'task_created':
      return `task made for ${change.task}`;
    case 'database':
      return `database: ${change.task} ${change.from} -> ${change.to}`;
    case 'file':
      return `${plainLine(change.file)}: ${change.task} ${change.from} -> ${change.to}`;
    case 'id_written':
      return `${plainLine(change.file)}: the id of ${change.task} was written`;
  }
}

function summaryText({ findings, changed }: PlanReport): string {
  const number = (severity: Severity) => findings.filter((each) => each.severity === severity).length;
  const parts = [
    ...(number('ERROR') > 0 ? [count(number('ERROR'), 'error')] : []),
    ...(number('WARN') > 0 ? [count(number('WARN'), 'warning')] : []),
    ...(number('INFO') > 0 ? [count(number('INFO'), 'remark')] : []),
    ...(changed.length > 0 ? [count(changed.length, 'change')] : []),
  ];
  return parts.length === 0 ? 'Workplans and tasks agree.' : `${parts.join(', ')}.`;
}
