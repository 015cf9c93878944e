import { createHash } from 'node:crypto';
import type { ConfigFile } from '#config/pushed-config.ts';
import type { ServiceRequest } from '#test/aws/service-server.ts';

/** Instances that are down: so many, and so little alike, that what is known of them lies in objects. */
export const downInstances = Array.from({ length: 120 }, (_, i) =>
  createHash('sha256').update(String(i)).digest('hex').slice(0, 32),
).sort();

/** Rules of one tenant, and a receiver that is told in three ways. */
export function alertFiles(hookUrl: string): ConfigFile[] {
  const rules = 'groups: [{ name: hosts, rules: [{ alert: Down, expr: up == 0, labels: { severity: page } }] }]';
  const receiver = `  - name: everybody
    webhook_configs: [{ url: '${hookUrl}/hook' }]
    email_configs: [{ to: you@example.org, from: ops@example.org, smarthost: 'unused.example.org:25' }]
    sns_configs: [{ topic_arn: 'arn:aws:sns:eu-west-1:123456789012:on-call', sigv4: {} }]
`;
  return [
    { path: 'tenants.yaml', text: 'tenants:\n  team-a:\n    limits: { maxLabels: 3 }\n  team-c:\n' },
    { path: 'rules/team-c/hosts.yaml', text: rules },
    {
      path: 'alertmanager/team-c.yml',
      text: `route: { receiver: everybody, group_by: [alertname], group_wait: 0s }\nreceivers:\n${receiver}`,
    },
  ];
}

/** SES and SNS as far as they answer, and a webhook. */
export function answerService({ path }: ServiceRequest): { status: number; body: string } {
  if (path.startsWith('/v2/email')) return { status: 200, body: '{"MessageId":"1"}' };
  return { status: 200, body: '<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>' };
}
