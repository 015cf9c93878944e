import { BlockList, isIP, SocketAddress } from 'node:net';
import { isOpsError } from '#core/errors.ts';
import { compileSearch } from '#core/re2.ts';
import { estimateProgram } from '#core/re2-size.ts';
import type { Operation } from './compiled.ts';
import { spend } from './environment.ts';
import { toNumber } from './values.ts';

const MAX_PATTERN = 1_000;
/** Instructions of a pattern: at worst each is looked at for each character. */
const MAX_PROGRAM = 2_000;
const MAX_SEARCHED = 4_096;

/** `{"starts_with": [text, prefix]}` and `ends_with`: null where either is no text. */
export function comparesText(holds: (text: string, part: string) => boolean): Operation {
  return {
    arity: [2, 2],
    build: ([text, part], refuse) => {
      for (const { constant } of [text!, part!])
        if (constant && typeof constant.value !== 'string') refuse('takes two texts, or rules that give them');
      return (env) => {
        const a = text!.run(env);
        const b = part!.run(env);
        return typeof a === 'string' && typeof b === 'string' ? holds(a, b) : null;
      };
    },
  };
}

/** `{"lower_case": [text]}`: null where it is no text. */
export const lowerCase: Operation = {
  arity: [1, 1],
  build:
    ([arg]) =>
    (env) => {
      const text = arg!.run(env);
      if (typeof text !== 'string') return null;
      spend(env, text.length >> 6);
      return text.toLowerCase();
    },
};

/** `{"number": [value]}`: a number, or text that is one; null otherwise, which arithmetic would take for 0. */
export const readNumber: Operation = {
  arity: [1, 1],
  build:
    ([arg]) =>
    (env) => {
      const value = arg!.run(env);
      if (typeof value !== 'number' && (typeof value !== 'string' || value.trim() === '')) return null;
      const number = toNumber(value);
      return Number.isFinite(number) ? number : null;
    },
};

/** `{"time_ms": [text]}`: milliseconds since the epoch of an ISO 8601 time; null where it is none. */
export const readTime: Operation = {
  arity: [1, 1],
  build:
    ([arg]) =>
    (env) =>
      parseTime(arg!.run(env)) ?? null,
};

const TIME = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/;

/** An ISO 8601 time in milliseconds; undefined where it is none. One without a zone is UTC. */
export function parseTime(value: unknown): number | undefined {
  if (typeof value !== 'string' || !TIME.test(value)) return undefined;
  const hasZone = value.length <= 10 || /(?:Z|[+-]\d{2}:?\d{2})$/.test(value);
  const ms = Date.parse(hasZone ? value : `${value}Z`);
  return Number.isNaN(ms) ? undefined : ms;
}

/** `{"regex_match": [text, pattern]}`: whether RE2 finds the pattern in the text, whose first 4,096 characters count; the pattern is a literal. */
export const regexMatch: Operation = {
  arity: [2, 2],
  build: ([text, pattern], refuse) => {
    const source = pattern!.constant?.value;
    if (typeof source !== 'string' || source.length > MAX_PATTERN)
      return refuse(`the pattern is a literal text of at most ${MAX_PATTERN} characters`);
    if (estimateProgram(source).size > MAX_PROGRAM) return refuse(`the pattern comes to more than ${MAX_PROGRAM} instructions`);
    try {
      compileSearch(source);
    } catch (error) {
      if (!isOpsError(error)) throw error;
      return refuse(error.message);
    }
    return (env) => {
      const value = text!.run(env);
      if (typeof value !== 'string') return null;
      const searched = value.slice(0, MAX_SEARCHED);
      spend(env, 20 + searched.length * 4);
      return compileSearch(source).test(searched);
    };
  },
};

/** `{"in_cidr": [address, ["10.0.0.0/8", "::1"]]}`: whether an IP address lies in one of the ranges; null where it is no address. */
export const inCidr: Operation = {
  arity: [2, 2],
  build: ([address, ranges], refuse) => {
    const list = ranges!.constant?.value;
    if (!Array.isArray(list)) return refuse('takes an address and a literal list of ranges');
    const block = new BlockList();
    for (const range of list)
      if (!addRange(block, range)) return refuse(`${JSON.stringify(range)?.slice(0, 60)} is no address and no range of addresses`);
    return (env) => {
      const value = address!.run(env);
      const family = typeof value === 'string' && value.length <= 64 ? isIP(value) : 0;
      if (family === 0) return null;
      spend(env, 20 + list.length);
      return block.check(value as string, family === 4 ? 'ipv4' : 'ipv6');
    };
  },
};

/** True if the text is an address or a range in CIDR's form. */
export function isRange(range: unknown): boolean {
  return addRange(new BlockList(), range);
}

function addRange(block: BlockList, range: unknown): boolean {
  if (typeof range !== 'string' || range.length > 64) return false;
  const [address = '', bits, ...rest] = range.trim().split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0 || address.includes('%')) return false;
  const family = version === 4 ? 'ipv4' : 'ipv6';
  const most = version === 4 ? 32 : 128;
  if (bits === undefined) block.addAddress(new SocketAddress({ address, family }));
  else if (/^\d{1,3}$/.test(bits) && Number(bits) <= most) block.addSubnet(address, Number(bits), family);
  else return false;
  return true;
}
