import { describe, expect, it } from 'vitest';
import type { Notification } from '#alerts/receivers/notification.ts';
import { hashKey } from '#alerts/receivers/notification.ts';
import type { ReceiverSettings } from '#alerts/receivers/settings.ts';
import { createSecret } from '#alerts/routing/secret.ts';
import { sendingOf } from './composed.ts';
import { alertOf, notificationOf } from './notifications.ts';

const email = (given = {}): ReceiverSettings => ({
  kind: 'email',
  settings: { to: 'a@x.org, "B, C" <b@x.org>', from: 'Ops <ops@x.org>', smarthost: { host: 'mail.test', port: '587' }, ...given },
});
const sns = (given = {}): ReceiverSettings => ({
  kind: 'sns',
  settings: { topic_arn: 'arn:aws:sns:eu-west-1:1:ops', message: 'm', ...given },
});

describe('a mail', () => {
  const mailOf = async (receiver: ReceiverSettings) => (await sendingOf('mail', receiver)).message;

  it('goes to all addresses by the server that is set, with the Message-ID of the delivery', async () => {
    const settings = { headers: { subject: 'It is\n{{ status }}', 'X-Team': 'ops' }, html: '{{ status }}', text: '{{ status }}' };
    const auth = { auth_username: 'me', auth_password: createSecret('word') };
    const message = await mailOf(email({ ...settings, ...auth }));
    expect(message).toMatchObject({
      from: 'Ops <ops@x.org>',
      to: ['a@x.org', 'b@x.org'],
      subject: 'It is firing',
      headers: { To: 'a@x.org, "B, C" <b@x.org>', 'X-Team': 'ops' },
      messageId: `${hashKey('main/ops/1').slice(0, 32)}@quarterdeck`,
      text: 'firing',
      html: '<b>firing</b>',
      server: {
        host: 'mail.test',
        port: 587,
        implicitTls: false,
        requireTls: true,
        auth: { username: 'me', password: 'word', secret: '' },
      },
    });
  });

  it.each([
    ['465', {}, true],
    ['smtps', {}, false],
    ['465', { force_implicit_tls: false }, false],
    ['25', { force_implicit_tls: true }, true],
  ])('starts with TLS at %s %j: %s', async (port, given, implicitTls) => {
    expect((await mailOf(email({ smarthost: { host: 'mail.test', port }, ...given }))).server).toMatchObject({ implicitTls });
  });

  it.each([
    ['daily', '-2026-03-01@quarterdeck>'],
    ['none', '-@quarterdeck>'],
  ])('is in a thread of its group, %s', async (thread_by_date, end) => {
    const { headers } = await mailOf(email({ threading: { enabled: true, thread_by_date } }));
    expect(headers.References).toBe(`<alert-${hashKey('{}:{alertname="Down"}').slice(0, 16)}${end}`);
    expect(headers['In-Reply-To']).toBe(headers.References);
  });

  it.each([
    [{ to: '' }],
    [{ to: 'nobody' }],
    [{ to: 'a@x.org\r\nBcc: b@x.org' }],
    [{ to: 'a@x.org> RCPT TO:<b@x.org' }],
    [{ from: 'a@x.org, b@x.org' }],
    [{ smarthost: { host: 'mail.test', port: 'mail' } }],
    [{ smarthost: { host: 'mail.test', port: '70000' } }],
    [{ auth_identity: 'other' }],
  ])('is input with %j', async (given) => await expect(mailOf(email(given))).rejects.toMatchObject({ kind: 'input' }));
});

describe('a message to SNS', () => {
  const messageOf = async (receiver: ReceiverSettings) => (await sendingOf('topics', receiver)).message;

  it('has subject and attributes', async () => {
    const settings = { subject: `Grö\nße ${'x'.repeat(200)}`, attributes: { '{{ status }}': '{{ alerts }}' } };
    const sigv4 = { region: 'eu-west-1', access_key: 'AK', secret_key: createSecret('SK') };
    const message = await messageOf(sns({ ...settings, sigv4 }));
    expect(message).toMatchObject({
      topicArn: 'arn:aws:sns:eu-west-1:1:ops',
      message: 'm',
      attributes: { firing: '2' },
      fifo: undefined,
      access: { region: 'eu-west-1', credentials: { accessKeyId: 'AK', secretAccessKey: 'SK' } },
    });
    expect(message.subject).toMatch(/^Gr\? \?e x+~$/);
    expect(message.subject).toHaveLength(100);
  });

  it('is one delivery in its group on a FIFO topic', async () => {
    const { fifo } = await messageOf(sns({ topic_arn: 'arn:aws:sns:eu-west-1:1:ops.fifo' }));
    expect(fifo).toEqual({ groupId: hashKey('{}:{alertname="Down"}'), deduplicationId: hashKey('main/ops/1') });
  });

  it('is cut to what SNS takes, and says so', async () => {
    const long = await messageOf(sns({ message: 'ä'.repeat(200_000), attributes: { a: 'b' } }));
    expect(long.attributes).toEqual({ a: 'b', truncated: 'true' });
    const bytes = Buffer.byteLength(long.message) + Buffer.byteLength('aStringbtruncatedStringtrue');
    expect(bytes).toBeGreaterThan(256 * 1_024 - 2);
    expect(bytes).toBeLessThanOrEqual(256 * 1_024);
    const sms = await messageOf(sns({ topic_arn: undefined, phone_number: '+49123', message: 'x'.repeat(2_000) }));
    expect(sms.message).toHaveLength(1_600);
  });

  it.each([
    [{ topic_arn: undefined }],
    [{ phone_number: '+49123' }],
    [{ message: '' }],
    [{ sigv4: { role_arn: 'arn:aws:iam::1:role/x' } }],
  ])('is input with %j', async (given) => await expect(messageOf(sns(given))).rejects.toMatchObject({ kind: 'input' }));
});

describe('an event on the bus', () => {
  const eventOf = async (notification: Notification) =>
    (await sendingOf('events', { kind: 'eventbridge', settings: { event_bus_name: 'ops' } }, notification)).event;

  it('tells the group and its alerts', async () => {
    const { busName, event } = await eventOf(notificationOf({ receiver: 'a.b' }));
    expect(busName).toBe('ops');
    expect(event).toMatchObject({
      source: 'quarterdeck.alerts',
      detailType: 'Notification Sent',
      detail: { id: 'main/ops/1', tenant: 'main', at: '2026-03-01T12:01:00.250Z', receiver: 'a.b', status: 'firing', truncatedAlerts: 0 },
    });
  });

  it('has as many alerts as fit', async () => {
    const alerts = Array.from({ length: 5_000 }, (_, i) => alertOf({ alertname: 'Down', instance: `host-${i}` }));
    const { detail } = (await eventOf(notificationOf({ alerts }))).event;
    const told = (detail.alerts as unknown[]).length;
    expect(told).toBeGreaterThan(100);
    expect(detail.truncatedAlerts).toBe(5_000 - told);
    expect(Buffer.byteLength(JSON.stringify(detail))).toBeLessThan(200_000);
  });
});
