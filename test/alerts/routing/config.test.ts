import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parseAlertmanagerConfig } from '#alerts/routing/config.ts';
import { printAlertmanagerConfig } from '#alerts/routing/print-config.ts';
import { buildRouteTree, routeAlert } from '#alerts/routing/route-tree.ts';
import { createSecret, isSecret, revealSecret } from '#alerts/routing/secret.ts';
import { isOpsError, type OpsError } from '#core/errors.ts';

const base = 'route: {receiver: a}\n';

function refusal(text: string): OpsError {
  try {
    parseAlertmanagerConfig(text);
  } catch (error) {
    if (isOpsError(error, 'input')) return error;
    throw error;
  }
  throw new Error(`taken: ${text}`);
}

const withReceiver = (settings: string) => `${base}receivers:\n- name: a\n  ${settings}\n`;

describe('a configuration', () => {
  it('that is refused says which line and field are wrong', () => {
    const table: [string, string, string][] = [
      [
        `${base}receivers:\n- name: a\n  webhook_configs:\n  - url: ftp://x\n`,
        'invalid URL: unsupported scheme "ftp" for URL',
        'Look at line 5 in receivers[0].webhook_configs[0].url.',
      ],
      [
        'route:\n  receiver: a\n  routes:\n  - receiver: b\nreceivers: [{name: a}]\n',
        'undefined receiver "b" used in route',
        'Look at line 4 in route.routes[0].receiver.',
      ],
      [
        `${base}receivers: [{name: a}]\ntime_interval: []\n`,
        'yaml: unmarshal errors:\n  line 3: field time_interval not found in type config.plain',
        'Look at line 3 in time_interval.',
      ],
      [`${base}receivers: [{name: a}]\nroutes: [\n`, expect.stringContaining('yaml: line 4: '), undefined as unknown as string],
    ];
    for (const [text, message, hint] of table) expect([text, refusal(text)]).toEqual([text, expect.objectContaining({ message, hint })]);
  });

  it.each<[string, string]>([
    ['webhook_configs: [{url: "http://x/", url_file: f}]', 'at most one of url & url_file must be configured'],
    ['webhook_configs: [{url: "http://x/", timeout: soon}]', 'cannot unmarshal !!str `soon` into time.Duration'],
    ['webhook_configs: [{url: "http://x/", max_alerts: -1}]', 'cannot unmarshal !!str `-1` into uint64'],
    ['webhook_configs: [{url: "http://x/", send_resolved: maybe}]', 'cannot unmarshal !!str `maybe` into bool'],
    ['webhook_configs: {url: "http://x/"}', 'cannot unmarshal !!map into []*webhook'],
    ['pagerduty_configs: [{}]', 'missing service or routing key in PagerDuty config'],
    ['pagerduty_configs: [{routing_key: k, routing_key_file: f}]', 'at most one of routing_key & routing_key_file must be configured'],
    ['opsgenie_configs: [{api_key: k, responders: [{type: team}]}]', 'has to have at least one of id, username or name specified'],
    ['opsgenie_configs: [{api_key: k, responders: [{id: i, type: wolf}]}]', 'type does not match valid options'],
    ['opsgenie_configs: [{api_key: k, responders: [{id: i, type: "{{ .x"}]}]', 'type contains invalid template syntax'],
    ['slack_configs: [{api_url: "http://x/", actions: [{type: button, text: t}]}]', 'missing name or url in Slack action configuration'],
    ['slack_configs: [{api_url: "http://x/", fields: [{title: t}]}]', 'missing value in Slack field configuration'],
    ['msteams_configs: [{title: t}]', 'one of webhook_url or webhook_url_file must be configured'],
    ['email_configs: [{}]', 'missing to address in email config'],
    ['email_configs: [{to: b@example.org}]', 'no global SMTP smarthost set'],
    ['email_configs: [{to: b@example.org, smarthost: "h:25"}]', 'no global SMTP from set'],
    [
      'email_configs: [{to: b, from: c, smarthost: "h:25", headers: {subject: x, Subject: y}}]',
      'duplicate header "Subject" in email config',
    ],
    [
      'email_configs: [{to: b, from: c, smarthost: "h:25", threading: {enabled: true}}]',
      "threading.thread_by_date must be either 'none' or 'daily'",
    ],
    ['sns_configs: [{topic_arn: t, target_arn: u}]', 'must provide either a Target ARN, Topic ARN, or Phone Number for SNS config'],
    ['sns_configs: [{topic_arn: t, sigv4: {access_key: k}}]', 'must provide a AWS SigV4 Access key and Secret Key'],
    ['eventbridge_configs: [{region: eu-west-1}]', 'missing event_bus_name in eventbridge config'],
    ['telegram_configs: [{bot_token: t}]', 'missing chat_id or chat_id_file on telegram_config'],
    ['jira_configs: [{project: p}]', 'missing issue_type in jira_config'],
    ['jira_configs: [{project: p, issue_type: Bug}]', 'no global Jira Cloud URL set'],
    ['victorops_configs: [{api_key: k, routing_key: r, custom_fields: {entity_id: x}}]', 'custom field entity_id which cannot be used'],
    ['pushover_configs: [{token: t, user_key: u, html: true, monospace: true}]', 'at most one of monospace & html must be configured'],
    ['webex_configs: [{room_id: r}]', 'missing webex_configs.http_config.authorization'],
    [
      'webhook_configs: [{url: "http://x/", http_config: {basic_auth: {username: u}, bearer_token: t}}]',
      'at most one of basic_auth, oauth2, bearer_token',
    ],
    ['webhook_configs: [{url: "http://x/", http_config: {authorization: {type: Basic}}}]', 'use "basic_auth" instead'],
    ['webhook_configs: [{url: "http://x/", http_config: {no_proxy: x}}]', 'if no_proxy is configured, proxy_url must also be configured'],
    ['webhook_configs: [{url: "http://x/", http_config: {tls_config: {cert: c}}}]', 'exactly one of key or key_file must be configured'],
    ['webhook_configs: [{url: "http://x/", http_config: {tls_config: {min_version: SSL3}}}]', 'unknown TLS version: SSL3'],
    ['webhook_configs: [{url: "http://x/", http_config: {http_headers: {host: {values: [x]}}}}]', 'setting header "Host" is not allowed'],
    ['webhook_configs: [{url: "http://x/", http_config: {oauth2: {client_id: c}}}]', 'oauth2 token_url must be configured'],
  ])('is refused with %s', (settings, message) => {
    expect(refusal(withReceiver(settings)).message).toContain(message);
  });

  it('keeps texts as they are written, whatever YAML would make of them', () => {
    const { receivers } = parseAlertmanagerConfig(
      withReceiver('sns_configs: [{phone_number: +4915112345678, subject: yes, message: 0x10, attributes: {a: 1e3, b: ~}}]'),
    );
    expect(receivers[0]?.sns_configs[0]).toMatchObject({
      phone_number: '+4915112345678',
      subject: 'yes',
      message: '0x10',
      attributes: { a: '1e3', b: '' },
    });
  });

  it('has its defaults filled in, and what says nothing of its own from the global settings', () => {
    const text = `
global: {resolve_timeout: 1h30m, http_config: {proxy_url: 'http://proxy:1'}, slack_api_url_file: /s, smtp_from: f, smtp_smarthost: '[::1]:25'}
${withReceiver('slack_configs: [{channel: c}]\n  email_configs: [{to: b, headers: {x-own: v}}]\n  webhook_configs: [{url: "http://x/{{ .Receiver }}", timeout: 1m30s, payload: {n: 1, t: "1"}}]\n  msteamsv2_configs: [{webhook_url_file: /f, http_config: {enable_http2: no}}]')}`;
    const { global, receivers } = parseAlertmanagerConfig(text);
    const [a] = receivers;
    expect(global).toMatchObject({ resolve_timeout: 5_400_000, smtp_hello: 'localhost', smtp_require_tls: true });
    expect(a?.labels).toEqual({ name: 'a' });
    expect(a?.slack_configs[0]).toMatchObject({
      send_resolved: false,
      api_url: undefined,
      api_url_file: '/s',
      http_config: global.http_config,
    });
    expect(a?.email_configs[0]).toMatchObject({
      from: 'f',
      smarthost: { host: '::1', port: '25' },
      headers: { 'X-Own': 'v' },
      require_tls: true,
    });
    expect(a?.webhook_configs[0]).toMatchObject({ send_resolved: true, timeout: 90_000, payload: { n: 1, t: '1' } });
    expect(a?.msteamsv2_configs[0]?.http_config).toMatchObject({
      enable_http2: false,
      follow_redirects: true,
      proxy_url: 'http://proxy:1',
    });
  });

  it('tells what it reads without any effect', () => {
    const { unsupported } = parseAlertmanagerConfig(
      `tracing: {endpoint: x}\nroute: {receiver: a, routes: [{labels: {team: b}}]}\nreceivers:\n- name: a\n  discord_configs: [{webhook_url: "http://x/"}]\n  webhook_configs: [{url: "http://x/"}]\n`,
    );
    expect(unsupported).toEqual([
      'tracing is read, but has no effect',
      'labels of routes are read, but templates see none of them',
      'receiver "a": nothing is delivered to its discord_configs',
    ]);
  });

  it('tells of matchers that the two syntaxes read differently', () => {
    const text = "route: {receiver: a, routes: [{matchers: ['b=c', 'd=\"\\ud\"', e=f\\n]}]}\nreceivers: [{name: a}]\n";
    const { warnings, route } = parseAlertmanagerConfig(text);
    expect(warnings.map(({ input, kind }) => [input, kind])).toEqual([
      ['d="\\ud"', 'incompatible'],
      ['e=f\\n', 'incompatible'],
    ]);
    expect(route.routes[0]?.matchers).toHaveLength(3);
    expect(() => parseAlertmanagerConfig(text, { mode: 'utf8' })).toThrow('invalid input');
  });

  it('may use anchors and merges, but not to grow beyond bounds', () => {
    const text = 'x: &x {receiver: a}\n';
    expect(() => parseAlertmanagerConfig(text)).toThrow('field x not found in type config.plain');
    const merged = parseAlertmanagerConfig(
      'route:\n  receiver: a\n  routes:\n  - &one {match: {a: b}, receiver: a, continue: true}\n  - {<<: *one, match: {c: d}}\nreceivers: [{name: a}]\n',
    );
    expect(merged.route.routes.map((route) => [route.continue, route.matchers[0]?.name])).toEqual([
      [true, 'a'],
      [true, 'c'],
    ]);
    let bomb = 'templates: &t0 [x, x, x, x, x, x, x, x, x, x]\n';
    for (let i = 1; i < 9; i++) bomb += `t${i}: &t${i} [${Array.from({ length: 10 }, () => `*t${i - 1}`).join(', ')}]\n`;
    expect(refusal(bomb).message).toContain('too many values');
    expect(refusal(`route: ${'{routes: ['.repeat(5_000)}`).message).toContain('yaml: ');
    expect(refusal(`${base}__proto__: {a: b}\n`).message).toContain('__proto__');
    expect(refusal(`${base}receivers: [{name: a}, {name: a}]`).message).toBe('notification config name "a" is not unique');
  });

  it('has times of both names, and routes that must know them', () => {
    const times =
      'mute_time_intervals: [{name: m, time_intervals: [{weekdays: [saturday]}]}]\ntime_intervals: [{name: t, time_intervals: [{location: Europe/Berlin}]}]\n';
    const config = parseAlertmanagerConfig(
      `route: {receiver: a, routes: [{mute_time_intervals: [m], active_time_intervals: [t]}]}\nreceivers: [{name: a}]\n${times}`,
    );
    expect([...config.timeIntervals.keys(), ...config.muteTimeIntervals]).toEqual(['m', 't', 'm']);
    const again = parseAlertmanagerConfig(printAlertmanagerConfig(config));
    expect(again).toEqual(config);
    expect(refusal(`${base}receivers: [{name: a}]\n${times}`.replace('name: t', 'name: m')).message).toBe(
      'time interval "m" is not unique',
    );
    expect(refusal(`${base}${times}`.replace('Europe/Berlin', '+02:00')).message).toBe('unknown time zone +02:00');
  });

  it('names labels by the old rule alone where the old mode is asked for', () => {
    const text = "route: {receiver: a, group_by: ['ä']}\nreceivers: [{name: a}]\n";
    expect(parseAlertmanagerConfig(text).route.groupBy).toEqual(['ä']);
    expect(() => parseAlertmanagerConfig(text, { mode: 'classic' })).toThrow('invalid label name "ä" in group_by list');
  });
});

describe('secrets', () => {
  it('are shown by nothing but the call that asks for them', () => {
    const secret = createSecret('hush');
    expect([`${secret}`, String(secret), JSON.stringify({ secret }), inspect({ secret }), inspect(secret)].join()).not.toContain('hush');
    expect(JSON.stringify({ secret })).toBe('{"secret":"<secret>"}');
    expect([revealSecret(secret), isSecret(secret), isSecret('hush'), isSecret({ ...secret })]).toEqual(['hush', true, false, false]);
    expect(() => revealSecret({ ...secret })).toThrow(TypeError);
  });

  it('are everywhere in a configuration where Alertmanager has them, and in addresses with passwords', () => {
    const text = withReceiver(
      [
        'webhook_configs: [{url: "http://hush/", http_config: {proxy_url: "http://u:hush@p/", basic_auth: {username: u, password: hush}, http_headers: {X: {secrets: [hush]}}}}]',
        'sns_configs: [{topic_arn: t, sigv4: {access_key: k, secret_key: hush}}]',
        'pagerduty_configs: [{routing_key: hush, service_key: hush}]',
        'msteams_configs: [{webhook_url: "http://hush/"}]',
        'slack_configs: [{app_token: hush}]',
        'discord_configs: [{webhook_url: "http://hush/", http_config: {oauth2: {client_id: c, token_url: u, client_secret: hush}}}]',
      ].join('\n  '),
    );
    const config = parseAlertmanagerConfig(text);
    expect(JSON.stringify(config) + inspect(config, { depth: 20 }) + printAlertmanagerConfig(config)).not.toContain('hush');
    expect(config.receivers[0]?.slack_configs[0]?.http_config.authorization?.type).toBe('Bearer');
    const message = refusal(withReceiver('msteams_configs: [{webhook_url: "http://x:hush/"}]')).message;
    expect(message).toBe('parse <secret>: invalid URL');
  });
});

describe('a routing tree', () => {
  it('passes group_by on, until a child says otherwise, be it with an empty list', () => {
    const children =
      '[{match: {x: a}}, {match: {x: b}, group_by: []}, {match: {x: c}, group_by: [...]}, {match: {x: d}, group_by: [z, y]}]';
    const text = `route: {receiver: a, group_by: [x], routes: ${children}}\nreceivers: [{name: a}]\n`;
    const config = parseAlertmanagerConfig(text);
    for (const { route } of [config, parseAlertmanagerConfig(printAlertmanagerConfig(config))]) {
      const options = ['a', 'b', 'c', 'd'].map((x) => routeAlert(buildRouteTree(route), { x })[0]?.options);
      expect(options.map((own) => [own?.groupBy, own?.groupByAll])).toEqual([
        [['x'], false],
        [[], false],
        [['x'], true],
        [['y', 'z'], false],
      ]);
    }
  });

  it('of thousands of routes answers by the first that matches', () => {
    const routes = Array.from({ length: 5_000 }, (_, i) => `  - {match: {id: "${i}"}, receiver: a}`).join('\n');
    const tree = buildRouteTree(parseAlertmanagerConfig(`route:\n  receiver: a\n  routes:\n${routes}\nreceivers: [{name: a}]\n`).route);
    expect(routeAlert(tree, { id: '4999' }).map(({ id }) => id)).toEqual(['{}/{id="4999"}/4999']);
    expect(routeAlert(tree, { id: 'none' }).map(({ id }) => id)).toEqual(['{}']);
  });
});
