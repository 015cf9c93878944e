/** The text as a metric name that PromQL takes without quotes: other characters become `_`, a leading digit gets one in front. */
export function toMetricName(text: string): string {
  return inFrontOfDigit(text.replace(/[^a-zA-Z0-9_:]/gu, '_'));
}

/** The text as a label name that PromQL takes without quotes, made as metric names are; a colon is replaced too. */
export function toLabelName(text: string): string {
  return inFrontOfDigit(text.replace(/[^a-zA-Z0-9_]/gu, '_'));
}

function inFrontOfDigit(name: string): string {
  const first = name.charCodeAt(0);
  return first >= 48 && first <= 57 ? `_${name}` : name;
}
