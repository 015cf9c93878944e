import type { ReceiverSettings } from '#alerts/receivers/settings.ts';

type Fields = Record<string, unknown>;
/** One receiver, as both sides are given it. */
export interface Case {
  readonly kind: ReceiverSettings['kind'];
  /** Settings that are the same on both sides; texts that start with `secret:` are secrets. */
  readonly settings: Fields;
}

const everything = '{{ .Status }} {{ .GroupLabels.alertname }} {{ .CommonLabels.job }} {{ .CommonAnnotations.text }} {{ .ExternalURL }}';

/** Receivers by name, told of the same alerts by an Alertmanager and by us. */
export function casesOf(http: string, mailPort: number): Record<string, Case> {
  return {
    'web.hook+1': { kind: 'webhook', settings: { url: `secret:${http}/web.hook+1/a?b=c` } },
    'web-few': {
      kind: 'webhook',
      settings: { url: `secret:${http}/web-few`, max_alerts: 1, http_config: { authorization: { credentials: 'secret:tok en' } } },
    },
    'web-basic': {
      kind: 'webhook',
      settings: { url: `secret:${http}/web-basic`, http_config: { basic_auth: { username: 'mé', password: 'secret:p:w' } } },
    },
    slack: {
      kind: 'slack',
      settings: {
        api_url: `secret:${http}/slack`,
        send_resolved: true,
        channel: '#{{ .Status }}',
        username: 'u',
        color: '{{ .Status }}',
        title: `${everything}${'é😀'.repeat(800)}`,
        title_link: '{{ .ExternalURL }}',
        pretext: '',
        text: everything,
        fallback: '',
        callback_id: 'c',
        footer: '',
        icon_emoji: ':x:',
        icon_url: '',
        image_url: 'http://i.test/{{ .Status }}',
        link_names: true,
        short_fields: true,
        fields: [
          { title: 'a', value: '{{ len .Alerts }}' },
          { title: 'b', value: 'c', short: false },
        ],
        actions: [
          { type: 'button', text: 'Open', url: 'http://x.test/{{ .Status }}', style: 'primary' },
          {
            type: 'button',
            text: 'Ack',
            name: 'n',
            value: '{{ .Status }}',
            confirm: { text: 'sure?', title: 't', ok_text: 'y', dismiss_text: 'n' },
          },
        ],
      },
    },
    pagerduty: {
      kind: 'pagerduty',
      settings: {
        routing_key: 'secret:key-{{ .Status }}',
        url: `${http}/pagerduty`,
        client: 'C',
        client_url: '{{ .ExternalURL }}',
        description: `${everything}${'é😀'.repeat(800)}`,
        severity: '{{ .Status }}',
        class: 'k',
        group: 'g',
        details: { firing: 'f', resolved: 'r', num_firing: '{{ len .Alerts }}', num_resolved: 'n', more: everything },
        images: [
          { src: 'http://i.test/{{ .Status }}', alt: 'a' },
          { src: '', alt: 'none' },
        ],
        links: [{ href: 'http://l.test', text: '{{ .Status }}' }],
      },
    },
    opsgenie: {
      kind: 'opsgenie',
      settings: {
        api_key: 'secret:key-1',
        api_url: `${http}/opsgenie/`,
        message: `${everything}${'é😀'.repeat(100)}`,
        description: everything,
        source: '{{ .ExternalURL }}',
        details: { job: 'own', x: '{{ .Status }}' },
        tags: 'a,{{ .Status }},,b',
        note: 'n',
        priority: 'P1',
        entity: 'e',
        actions: 'x,y',
        update_alerts: true,
        responders: [
          { name: 'one,two', type: 'teams' },
          { username: 'u', type: 'user' },
        ],
      },
    },
    sns: {
      kind: 'sns',
      settings: {
        api_url: `${http}/sns/`,
        sigv4: { region: 'eu-west-1', access_key: 'AK', secret_key: 'secret:SK' },
        topic_arn: 'arn:aws:sns:eu-west-1:1:ops',
        subject: 'S {{ .Status }}',
        message: everything,
        attributes: { a: '{{ .Status }}' },
      },
    },
    mail: {
      kind: 'email',
      settings: {
        to: 'a@x.test, "B, C" <b@x.test>',
        from: 'Ops <ops@x.test>',
        smarthost: `127.0.0.1:${mailPort}`,
        require_tls: false,
        send_resolved: true,
        headers: { Subject: 'Ä {{ .Status }}', 'X-Team': '{{ .CommonLabels.job }}' },
        text: `${everything}\n.\nÄ=`,
        html: `<p>${everything}</p>`,
      },
    },
  };
}
