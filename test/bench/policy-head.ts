/** How a policy of the benchmark begins: OpenRouter at the address in the environment, bound by `limit` alone. */
export function policyHead(limit = { requestsPerSecond: 1_000, concurrency: 8 }): string {
  return `version: 1
providers:
  openrouter:
    type: openrouter
    managementKey: { env: OPENROUTER_MANAGEMENT_KEY }
    baseUrl: \${OPENROUTER_BASE_URL}
    rateLimit: { requestsPerSecond: ${limit.requestsPerSecond}, concurrency: ${limit.concurrency} }
`;
}
