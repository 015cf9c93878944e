import { compareUtf8 } from '#core/text.ts';
import type { LabelSet } from '#model/alert.ts';
import { createTimeOfMs, zeroTime } from './go-time.ts';
import {
  createList,
  createStringMap,
  type GoFunction,
  type GoList,
  type GoMap,
  type GoStruct,
  type GoType,
  type Value,
} from './go-values.ts';
import { joinTexts } from './text-functions.ts';

/** One alert as a notification tells of it. */
export interface NotificationAlert {
  readonly status: 'firing' | 'resolved';
  readonly labels: LabelSet;
  readonly annotations: LabelSet;
  readonly startsAtMs: number;
  /** Undefined while nothing says when it ends. */
  readonly endsAtMs: number | undefined;
  readonly generatorUrl: string;
  readonly fingerprint: string;
}

/** What a notification's templates see: Alertmanager's Data. */
export interface NotificationData {
  /** Alertmanager escapes in it what regular expressions give a meaning. */
  readonly receiver: string;
  readonly status: 'firing' | 'resolved';
  readonly alerts: readonly NotificationAlert[];
  readonly groupLabels: LabelSet;
  readonly commonLabels: LabelSet;
  readonly commonAnnotations: LabelSet;
  readonly externalUrl: string;
  /** Labels of the route; their values may be templates themselves. */
  readonly routeLabels?: LabelSet;
  readonly reason?: string;
}

function method(params: readonly string[], call: (receiver: Value, args: readonly Value[]) => Value): GoFunction {
  return {
    params,
    call: (args, { charge }, receiver) => {
      charge(sizeOf(receiver));
      return call(receiver, args);
    },
  };
}

/** What a method that looks at all of a value costs. */
function sizeOf(value: Value): number {
  return 1 + ((value as GoList).items?.length ?? (value as GoMap).entries?.size ?? 0);
}

const stringsType: GoType = {
  name: 'template.Strings',
  underlying: '[]string',
  methods: { Join: { params: ['string'], call: ([separator], context, list) => joinTexts([separator, list], context) } },
};

const pairType: GoType = { name: 'template.Pair' };

function columnOf(pairs: Value, column: 'Name' | 'Value'): GoList {
  return createList(
    stringsType,
    (pairs as GoList).items.map((pair) => (pair as GoStruct).fields[column]),
  );
}

function joinPairs(pairs: GoList): string {
  return pairs.items.map((pair) => `${(pair as GoStruct).fields.Name}=${(pair as GoStruct).fields.Value}`).join(', ');
}

const pairsType: GoType = {
  name: 'template.Pairs',
  underlying: '[]template.Pair',
  text: joinPairs,
  methods: {
    Names: method([], (pairs) => columnOf(pairs, 'Name')),
    Values: method([], (pairs) => columnOf(pairs, 'Value')),
    String: method([], (pairs) => joinPairs(pairs as GoList)),
  },
};

/** By name, the alert's name first. */
function sortPairs(map: Value): GoList {
  const names = [...(map as GoMap).entries.keys()].sort(
    (a, b) => Number(b === 'alertname') - Number(a === 'alertname') || compareUtf8(a, b),
  );
  const pairs = names.map(
    (name): GoStruct => ({ kind: 'struct', type: pairType, fields: { Name: name, Value: (map as GoMap).entries.get(name) } }),
  );
  return createList(pairsType, pairs);
}

function removeNames(map: Value, names: Value): GoMap {
  const removed = new Set((names as GoList).items);
  const kept = [...(map as GoMap).entries].filter(([name]) => !removed.has(name));
  return createStringMap(kvType, new Map(kept as [string, string][]));
}

const kvType: GoType = {
  name: 'template.KV',
  underlying: 'map[string]string',
  text: (map: GoMap) => joinPairs(sortPairs(map)),
  methods: {
    SortedPairs: method([], sortPairs),
    Remove: method(['[]string'], (map, [names]) => removeNames(map, names)),
    Names: method([], (map) => columnOf(sortPairs(map), 'Name')),
    Values: method([], (map) => columnOf(sortPairs(map), 'Value')),
    String: method([], (map) => joinPairs(sortPairs(map))),
  },
};

const alertListType: GoType = { name: '[]template.Alert', underlying: '[]template.Alert' };

function withStatus(status: string): GoFunction {
  return method([], (alerts) =>
    createList(
      alertListType,
      (alerts as GoList).items.filter((alert) => (alert as GoStruct).fields.Status === status),
    ),
  );
}

const alertsType: GoType = {
  name: 'template.Alerts',
  underlying: '[]template.Alert',
  methods: { Firing: withStatus('firing'), Resolved: withStatus('resolved') },
};

const alertType: GoType = { name: 'template.Alert' };
const alertJson = {
  Status: 'status',
  Labels: 'labels',
  Annotations: 'annotations',
  StartsAt: 'startsAt',
  EndsAt: 'endsAt',
  GeneratorURL: 'generatorURL',
  Fingerprint: 'fingerprint',
};

function alertValue(alert: NotificationAlert): GoStruct {
  return {
    kind: 'struct',
    type: alertType,
    json: alertJson,
    fields: {
      Status: alert.status,
      Labels: createStringMap(kvType, alert.labels),
      Annotations: createStringMap(kvType, alert.annotations),
      StartsAt: createTimeOfMs(alert.startsAtMs),
      EndsAt: alert.endsAtMs === undefined ? zeroTime() : createTimeOfMs(alert.endsAtMs),
      GeneratorURL: alert.generatorUrl,
      Fingerprint: alert.fingerprint,
    },
  };
}

const dataType: GoType = { name: 'template.Data' };
const dataJson = {
  Receiver: 'receiver',
  Status: 'status',
  Alerts: 'alerts',
  NotificationReason: 'notification_reason',
  GroupLabels: 'groupLabels',
  CommonLabels: 'commonLabels',
  CommonAnnotations: 'commonAnnotations',
  RouteLabels: 'routeLabels',
  ExternalURL: 'externalURL',
};

/** A notification's data as its templates see it; build it once for all texts of a notification. */
export function notificationValue(data: NotificationData): GoStruct {
  return {
    kind: 'struct',
    type: dataType,
    json: dataJson,
    fields: {
      Receiver: data.receiver,
      Status: data.status,
      Alerts: createList(alertsType, data.alerts.map(alertValue)),
      NotificationReason: data.reason ?? '',
      GroupLabels: createStringMap(kvType, data.groupLabels),
      CommonLabels: createStringMap(kvType, data.commonLabels),
      CommonAnnotations: createStringMap(kvType, data.commonAnnotations),
      RouteLabels: createStringMap(kvType, data.routeLabels ?? {}),
      ExternalURL: data.externalUrl,
    },
  };
}
