import { formatLabels } from '#alerts/routing/labels.ts';
import { compareUtf8 } from '#core/text.ts';
import { MINUTE_MS } from '#core/time.ts';
import type { LabelSet } from '#model/alert.ts';
import type { Cause, Evidence, Member } from './incident.ts';
import { type Learned, pairKey } from './learned.ts';
import type { IncidentSettings } from './settings.ts';

/** What each piece of evidence counts; a judgement, not a measurement. */
const WEIGHTS: Readonly<Record<keyof Evidence, number>> = { earliness: 0.3, fanOut: 0.25, upstream: 0.2, precedence: 0.15, severity: 0.1 };

/** Causes that are kept. */
const MAX_CAUSES = 5;
/** Alerts that are weighed as causes: the first of each name, and the first of all. */
const MAX_CANDIDATES = 40;
/** Other alerts that a candidate is held against; of more, every so-manieth. */
const MAX_OTHERS = 2_000;

export interface RankInput {
  readonly members: readonly Member[];
  readonly learned: Learned;
  readonly settings: IncidentSettings;
}

/** The most probable causes among alerts that belong together, each with its evidence as numbers and in words. */
export function rankCauses({ members, learned, settings }: RankInput): Cause[] {
  const sorted = [...members].sort((a, b) => a.startsAtMs - b.startsAtMs || compareUtf8(a.fingerprint, b.fingerprint));
  const step = Math.ceil(sorted.length / MAX_OTHERS);
  const others = step > 1 ? sorted.filter((_, i) => i % step === 0) : sorted;
  const names = [...new Set(sorted.map(({ labels }) => labels.alertname ?? ''))];
  const firstMs = sorted[0]?.startsAtMs ?? 0;
  const causes = pickCandidates(sorted).map((candidate): Cause => {
    const evidence = weigh(candidate, { others, names, firstMs, learned, settings });
    const score = (Object.keys(WEIGHTS) as (keyof Evidence)[]).reduce((sum, key) => sum + WEIGHTS[key] * evidence[key], 0);
    const { fingerprint, labels, startsAtMs } = candidate;
    return { fingerprint, labels, startsAtMs, score: round(score), evidence, sentence: tell(candidate, evidence, firstMs, members.length) };
  });
  return causes
    .sort((a, b) => b.score - a.score || a.startsAtMs - b.startsAtMs || compareUtf8(a.fingerprint, b.fingerprint))
    .slice(0, MAX_CAUSES);
}

function pickCandidates(sorted: readonly Member[]): Member[] {
  const names = new Set<string>();
  const firsts = sorted.filter(({ labels: { alertname = '' } }) => !names.has(alertname) && names.add(alertname));
  const broad = [...sorted].sort((a, b) => Object.keys(a.labels).length - Object.keys(b.labels).length).slice(0, MAX_CANDIDATES / 4);
  return [...new Set([...firsts.slice(0, MAX_CANDIDATES / 2), ...broad, ...sorted])].slice(0, MAX_CANDIDATES);
}

interface Against {
  readonly others: readonly Member[];
  readonly names: readonly string[];
  readonly firstMs: number;
  readonly learned: Learned;
  readonly settings: IncidentSettings;
}

function weigh(candidate: Member, { others, names, firstMs, learned, settings }: Against): Evidence {
  const { severities, ignoreLabels, upstream } = settings;
  const scope = Object.entries(candidate.labels).filter(([name]) => name !== 'alertname' && !ignoreLabels.includes(name));
  const rest = others.filter(({ fingerprint }) => fingerprint !== candidate.fingerprint);
  const share = (test: (labels: LabelSet) => boolean) =>
    rest.length === 0 ? 0 : rest.filter(({ labels }) => test(labels)).length / rest.length;
  const rank = severities.indexOf(candidate.labels.severity ?? '');
  return {
    earliness: round(1 / (1 + (candidate.startsAtMs - firstMs) / MINUTE_MS)),
    fanOut: scope.length === 0 ? 0 : round(share((labels) => scope.every(([name, value]) => labels[name] === value))),
    upstream: round(
      share((labels) => upstream.some(({ label, of }) => labels[label] !== undefined && labels[label] === candidate.labels[of])),
    ),
    precedence: round(precedes(candidate.labels.alertname ?? '', names, learned)),
    severity: rank < 0 ? 0 : round(1 - rank / severities.length),
  };
}

function precedes(name: string, names: readonly string[], { pairs }: Learned): number {
  let before = 0;
  let either = 0;
  for (const other of names) {
    if (other === name) continue;
    const { key, isFirst } = pairKey(name, other);
    const [, first, second] = pairs[key] ?? [0, 0, 0];
    before += isFirst ? first : second;
    either += first + second;
  }
  return either === 0 ? 0 : before / either;
}

function round(share: number): number {
  return Math.round(share * 1_000) / 1_000;
}

/** `Down{job="db"} began first; the labels of 98 % of the other alerts lie within its own; ...` */
function tell({ labels, startsAtMs }: Member, evidence: Evidence, firstMs: number, count: number): string {
  const { alertname = '', ...rest } = labels;
  const afterS = Math.round((startsAtMs - firstMs) / 1_000);
  const percent = (part: number) => `${Math.round(part * 100)} %`;
  const parts = [
    count === 1 ? 'is the only one' : afterS === 0 ? 'began first, or with the first' : `began ${afterS} s after the first`,
    evidence.fanOut > 0 ? `its labels are shared by ${percent(evidence.fanOut)} of the other alerts` : '',
    evidence.upstream > 0 ? `${percent(evidence.upstream)} of the other alerts name it as what they depend on` : '',
    evidence.precedence > 0 ? `it came before the others in ${percent(evidence.precedence)} of earlier cases` : '',
    labels.severity === undefined ? '' : `its severity is ${labels.severity}`,
  ];
  return `${alertname}${formatLabels(rest)} ${parts.filter((part) => part !== '').join('; ')}`;
}
