import * as z from 'zod';
import { OpsError } from '#core/errors.ts';
import {
  anyMap,
  anything,
  checkUrl,
  faults,
  flag,
  goDuration,
  integer,
  list,
  refuse,
  secret,
  secretUrl,
  settings,
  text,
  textMap,
  url,
} from './config-fields.ts';
import { email } from './email-settings.ts';
import { httpSettings } from './http-settings.ts';
import { createSecret, SECRET_SIGN, SECRET_URL } from './secret.ts';
import { slack } from './slack-settings.ts';
import { isTemplate } from './template-syntax.ts';

/** Settings of the receivers that are delivered to, by Alertmanager's names and with its defaults (templates among them). */

const template = (kind: string, name: string) => text(`{{ template "${kind}.default.${name}" . }}`);
const http = { http_config: httpSettings.optional() };

/** An address, or a template of one. */
const templateUrl = z
  .string()
  .transform((value, context) => {
    try {
      if (value === '') return undefined;
      if (value !== SECRET_SIGN && value !== SECRET_URL && !isTemplate(value)) checkUrl(value, SECRET_SIGN);
      return createSecret(value);
    } catch (error) {
      if (!(error instanceof OpsError)) throw error;
      refuse(context, error.message.startsWith('invalid template') ? error.message : `invalid URL: ${error.message}`);
      return z.NEVER;
    }
  })
  .optional();

const webhookShape = settings('webhook.plain', {
  send_resolved: flag(true),
  ...http,
  url: templateUrl,
  url_file: text(),
  max_alerts: integer(),
  timeout: goDuration(),
  payload: anything(),
});

const webhook = webhookShape.superRefine(
  faults<z.infer<typeof webhookShape>>(
    [(c) => !c.url && c.url_file === '', 'one of url or url_file must be configured'],
    [(c) => c.url && c.url_file !== '', 'at most one of url & url_file must be configured'],
  ),
);

const pagerdutyDetails: Readonly<Record<string, string>> = {
  firing: '{{ .Alerts.Firing | toJson }}',
  resolved: '{{ .Alerts.Resolved | toJson }}',
  num_firing: '{{ .Alerts.Firing | len }}',
  num_resolved: '{{ .Alerts.Resolved | len }}',
};

const pagerdutyShape = settings('pagerduty.plain', {
  send_resolved: flag(true),
  ...http,
  service_key: secret(),
  service_key_file: text(),
  routing_key: secret(),
  routing_key_file: text(),
  url: url(),
  client: template('pagerduty', 'client'),
  client_url: template('pagerduty', 'clientURL'),
  description: text('{{ template "pagerduty.default.description" .}}'),
  details: anyMap(),
  images: list(settings('pagerduty.PagerdutyImage', { src: text(), alt: text(), href: text() }), 'pagerduty.PagerdutyImage').default([]),
  links: list(settings('pagerduty.PagerdutyLink', { href: text(), text: text() }), 'pagerduty.PagerdutyLink').default([]),
  source: text(),
  severity: text(),
  class: text(),
  component: text(),
  group: text(),
  timeout: goDuration(),
});

const pagerduty = pagerdutyShape
  .superRefine(
    faults<z.infer<typeof pagerdutyShape>>(
      [
        (c) => !c.routing_key && !c.service_key && !c.routing_key_file && !c.service_key_file,
        'missing service or routing key in PagerDuty config',
      ],
      [(c) => c.routing_key && c.routing_key_file, 'at most one of routing_key & routing_key_file must be configured'],
      [(c) => c.service_key && c.service_key_file, 'at most one of service_key & service_key_file must be configured'],
    ),
  )
  .transform((c) => ({ ...c, source: c.source || c.client, details: { ...pagerdutyDetails, ...c.details } }));

const responderTypes = '^(team|teams|user|escalation|schedule)$';
const responderShape = settings('opsgenie.OpsGenieConfigResponder', { id: text(), name: text(), username: text(), type: text() });
const responder = responderShape.superRefine((c, context) => {
  const shown = `{${c.id} ${c.name} ${c.username} ${c.type}}`;
  if (!c.id && !c.username && !c.name) {
    return refuse(context, `opsGenieConfig responder ${shown} has to have at least one of id, username or name specified`);
  }
  try {
    if (!isTemplate(c.type) && !new RegExp(responderTypes).test(c.type.toLowerCase())) {
      refuse(context, `opsGenieConfig responder ${shown} type does not match valid options ${responderTypes}`);
    }
  } catch (error) {
    if (!(error instanceof OpsError)) throw error;
    refuse(context, `opsGenieConfig responder ${shown} type contains ${error.message}`);
  }
});

const opsgenie = settings('opsgenie.plain', {
  send_resolved: flag(true),
  ...http,
  api_key: secret(),
  api_key_file: text(),
  api_url: url(),
  message: template('opsgenie', 'message'),
  description: template('opsgenie', 'description'),
  source: template('opsgenie', 'source'),
  details: textMap(),
  entity: text(),
  responders: list(responder, 'opsgenie.OpsGenieConfigResponder').default([]),
  actions: text(),
  tags: text(),
  note: text(),
  priority: text(),
  update_alerts: flag(),
}).superRefine(
  faults<{ api_key?: unknown; api_key_file: string }>([
    (c) => c.api_key && c.api_key_file,
    'at most one of api_key & api_key_file must be configured',
  ]),
);

const checkWebhookUrl = faults<{ webhook_url?: unknown; webhook_url_file: string }>(
  [(c) => !c.webhook_url && c.webhook_url_file === '', 'one of webhook_url or webhook_url_file must be configured'],
  [(c) => c.webhook_url && c.webhook_url_file !== '', 'at most one of webhook_url & webhook_url_file must be configured'],
);

const msteams = settings('msteams.plain', {
  send_resolved: flag(true),
  ...http,
  webhook_url: secretUrl(),
  webhook_url_file: text(),
  title: template('msteams', 'title'),
  summary: template('msteams', 'summary'),
  text: template('msteams', 'text'),
}).superRefine(checkWebhookUrl);

const msteamsv2 = settings('msteamsv2.plain', {
  send_resolved: flag(true),
  ...http,
  webhook_url: secretUrl(),
  webhook_url_file: text(),
  title: template('msteamsv2', 'title'),
  text: template('msteamsv2', 'text'),
}).superRefine(checkWebhookUrl);

const sigv4 = settings('sigv4.plain', {
  region: text(),
  access_key: text(),
  secret_key: secret(),
  profile: text(),
  role_arn: text(),
  external_id: text(),
  use_fips_sts_endpoint: flag(),
  service_name: text(),
}).superRefine(
  faults<{ access_key: string; secret_key?: unknown }>([
    (c) => (c.access_key === '') !== !c.secret_key,
    'must provide a AWS SigV4 Access key and Secret Key if credentials are specified in the SigV4 config',
  ]),
);

const snsShape = settings('sns.plain', {
  send_resolved: flag(true),
  ...http,
  api_url: text(),
  sigv4: sigv4.optional(),
  topic_arn: text(),
  phone_number: text(),
  target_arn: text(),
  subject: template('sns', 'subject'),
  message: template('sns', 'message'),
  attributes: textMap(),
  use_aws_http_client: flag(),
});

const sns = snsShape.superRefine(
  faults<z.infer<typeof snsShape>>([
    // three ways told apart as Alertmanager does it: exactly one, or all of them
    (c) => ((c.target_arn === '') !== (c.topic_arn === '')) !== (c.phone_number === ''),
    'must provide either a Target ARN, Topic ARN, or Phone Number for SNS config',
  ]),
);

const eventbridge = settings('eventbridge.plain', {
  send_resolved: flag(true),
  /** Name or ARN of the bus. */
  event_bus_name: text(),
  region: text(),
  source: text('quarterdeck.alerts'),
  detail_type: text('Notification Sent'),
  sigv4: sigv4.optional(),
}).superRefine(faults<{ event_bus_name: string }>([(c) => c.event_bus_name === '', 'missing event_bus_name in eventbridge config']));

/** The receivers that are delivered to, by the field that lists them. EventBridge is no receiver of Alertmanager. */
export const deliveredSettings = {
  webhook_configs: webhook,
  email_configs: email,
  slack_configs: slack,
  pagerduty_configs: pagerduty,
  opsgenie_configs: opsgenie,
  msteams_configs: msteams,
  msteamsv2_configs: msteamsv2,
  sns_configs: sns,
  eventbridge_configs: eventbridge,
};
