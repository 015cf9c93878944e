/** S3 storage classes as they are billed; the names are those of the blobs port. */
export type BilledClass = 'standard' | 'infrequent' | 'archive-instant';

type PerClass = Readonly<Record<BilledClass, number>>;

/** What calls to blobs, table and bus add up to, in AWS's billing units. */
export interface CallCounts {
  /** PUT requests, whatever their outcome. */
  readonly blobPuts: PerClass;
  readonly blobPutBytes: PerClass;
  readonly blobGets: PerClass;
  readonly blobGetBytes: PerClass;
  readonly blobLists: number;
  /** DeleteObjects requests, which are free, and the keys they named. */
  readonly blobDeletes: number;
  readonly blobDeletedKeys: number;
  readonly tableReads: number;
  readonly tableWrites: number;
  /** Read request units: 4 KB, strongly consistent. */
  readonly readUnits: number;
  /** Write request units: 1 KB; twice that in a transaction. */
  readonly writeUnits: number;
  readonly busCalls: number;
  readonly busEvents: number;
  /** 64 KB pieces of events, at least one an event. */
  readonly busPieces: number;
}

/** Everything that a bill for running consists of. */
export interface Usage {
  readonly calls: CallCounts;
  /** Bytes kept times the share of a month, in GB (2^30 bytes), after the class's least size and duration. */
  readonly storedGbMonths: PerClass;
  readonly tableGbMonths: number;
  readonly functionRequests: number;
  readonly functionGbSeconds: number;
  readonly logGb: number;
}

/** US dollars per unit. */
export interface Prices {
  readonly region: string;
  /** When the list was last compared with public sources. */
  readonly checkedOn: string;
  readonly blobPut: PerClass;
  readonly blobGet: PerClass;
  readonly blobRetrievedGb: PerClass;
  readonly blobGbMonth: PerClass;
  readonly blobList: number;
  readonly readUnit: number;
  readonly writeUnit: number;
  readonly tableGbMonth: number;
  readonly busPiece: number;
  readonly functionRequest: number;
  readonly functionGbSecond: number;
  readonly logGb: number;
}

/** An object of a class is billed as at least this many bytes, for at least this many days. */
const billedMinimum: Readonly<Record<BilledClass, { readonly bytes: number; readonly days: number }>> = {
  standard: { bytes: 0, days: 0 },
  infrequent: { bytes: 131_072, days: 30 },
  'archive-instant': { bytes: 131_072, days: 90 },
};

/**
 * On-demand list prices of us-east-1, first volume tier, no free tier: S3, DynamoDB on demand (Standard table class, prices since
 * November 2024), EventBridge custom events, Lambda on arm64, CloudWatch Logs for Lambda (first 10 TB a month). Compared on
 * `checkedOn` with public copies of AWS's pages and price lists; of S3's requests in the two colder classes no copy was found.
 */
export const usEast1: Prices = {
  region: 'us-east-1',
  checkedOn: '2026-11-24',
  blobPut: { standard: 5e-6, infrequent: 10e-6, 'archive-instant': 20e-6 },
  blobGet: { standard: 0.4e-6, infrequent: 1e-6, 'archive-instant': 10e-6 },
  blobRetrievedGb: { standard: 0, infrequent: 0.01, 'archive-instant': 0.03 },
  blobGbMonth: { standard: 0.023, infrequent: 0.0125, 'archive-instant': 0.004 },
  blobList: 5e-6,
  readUnit: 0.125e-6,
  writeUnit: 0.625e-6,
  tableGbMonth: 0.25,
  busPiece: 1e-6,
  functionRequest: 0.2e-6,
  functionGbSecond: 0.0000133334,
  logGb: 0.5,
};

/** Dollars by what they were spent on. */
export interface Cost {
  readonly blobPut: number;
  readonly blobGet: number;
  readonly blobList: number;
  readonly blobRetrieval: number;
  readonly blobStorage: number;
  readonly tableRead: number;
  readonly tableWrite: number;
  readonly tableStorage: number;
  readonly bus: number;
  readonly functions: number;
  readonly logs: number;
  readonly total: number;
}

const GB = 2 ** 30;

/** The dollars of a usage, item by item; parts that are left out were not used. */
export function costOf(usage: Partial<Usage>, prices: Prices): Cost {
  const calls = usage.calls ?? noCalls;
  const items = {
    blobPut: dot(calls.blobPuts, prices.blobPut),
    blobGet: dot(calls.blobGets, prices.blobGet),
    blobList: calls.blobLists * prices.blobList,
    blobRetrieval: dot(calls.blobGetBytes, prices.blobRetrievedGb) / GB,
    blobStorage: dot(usage.storedGbMonths ?? noClass, prices.blobGbMonth),
    tableRead: calls.readUnits * prices.readUnit,
    tableWrite: calls.writeUnits * prices.writeUnit,
    tableStorage: (usage.tableGbMonths ?? 0) * prices.tableGbMonth,
    bus: calls.busPieces * prices.busPiece,
    functions: (usage.functionRequests ?? 0) * prices.functionRequest + (usage.functionGbSeconds ?? 0) * prices.functionGbSecond,
    logs: (usage.logGb ?? 0) * prices.logGb,
  };
  return { ...items, total: Object.values(items).reduce((sum, dollars) => sum + dollars, 0) };
}

/** GB-months that S3 bills for objects of one size kept for so many days, the class's least size and duration applied. */
export function billedGbMonths(storageClass: BilledClass, objects: number, sizeBytes: number, days: number): number {
  const least = billedMinimum[storageClass];
  return (objects * Math.max(sizeBytes, least.bytes) * Math.max(days, least.days)) / 30 / GB;
}

const noClass: PerClass = { standard: 0, infrequent: 0, 'archive-instant': 0 };

/** The counts before any call. */
export const noCalls: CallCounts = {
  blobPuts: noClass,
  blobPutBytes: noClass,
  blobGets: noClass,
  blobGetBytes: noClass,
  blobLists: 0,
  blobDeletes: 0,
  blobDeletedKeys: 0,
  tableReads: 0,
  tableWrites: 0,
  readUnits: 0,
  writeUnits: 0,
  busCalls: 0,
  busEvents: 0,
  busPieces: 0,
};

function dot(amounts: PerClass, prices: PerClass): number {
  return (
    amounts.standard * prices.standard + amounts.infrequent * prices.infrequent + amounts['archive-instant'] * prices['archive-instant']
  );
}
