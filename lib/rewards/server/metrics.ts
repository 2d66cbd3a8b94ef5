/** Buckets of the request duration, seconds. */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];

/** Counters of a server, in the text format of Prometheus (exposition format 0.0.4). */
export class Metrics {
  private readonly requests = new Map<string, number>();
  private readonly reasons = new Map<string, number>();
  private readonly durations = new Array<number>(buckets.length).fill(0);
  private durationSum = 0;
  private durationCount = 0;
  inFlight = 0;

  request(path: string, status: number, seconds: number): void {
    const key = `path="${path}",status="${status}"`;
    this.requests.set(key, (this.requests.get(key) ?? 0) + 1);
    this.durationSum += seconds;
    this.durationCount++;
    for (const [i, bound] of buckets.entries()) if (seconds <= bound) this.durations[i] = (this.durations[i] ?? 0) + 1;
  }

  verdict(reason: string): void {
    this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + 1);
  }

  text(): string {
    const name = 'crossthink_request_duration_seconds';
    const lines = [
      '# HELP crossthink_requests_total Requests answered.',
      '# TYPE crossthink_requests_total counter',
      ...[...this.requests].map(([labels, n]) => `crossthink_requests_total{${labels}} ${n}`),
      '# HELP crossthink_verdicts_total Verdicts by reason code.',
      '# TYPE crossthink_verdicts_total counter',
      ...[...this.reasons].map(([reason, n]) => `crossthink_verdicts_total{reason="${reason}"} ${n}`),
      '# HELP crossthink_in_flight_requests Requests being answered.',
      '# TYPE crossthink_in_flight_requests gauge',
      `crossthink_in_flight_requests ${this.inFlight}`,
      `# HELP ${name} Time from the request's arrival to its answer.`,
      `# TYPE ${name} histogram`,
      ...buckets.map((bound, i) => `${name}_bucket{le="${bound}"} ${this.durations[i] ?? 0}`),
      `${name}_bucket{le="+Inf"} ${this.durationCount}`,
      `${name}_sum ${this.durationSum}`,
      `${name}_count ${this.durationCount}`,
    ];
    return `${lines.join('\n')}\n`;
  }
}
