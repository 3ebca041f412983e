/**
 * The floor that the machine itself sets: so many calls of the provider and nothing besides, so many
 * at a time. `node bare-calls.ts CALLS CONCURRENCY`.
 */
const [calls = 0, concurrency = 1] = process.argv.slice(2).map(Number);
const url = `${process.env.OPENROUTER_BASE_URL}/key`;
const headers = { authorization: `Bearer ${process.env.OPENROUTER_MANAGEMENT_KEY}` };

let left = calls;
async function callOn(): Promise<void> {
  while (left > 0) {
    left -= 1;
    const answer = await fetch(url, { headers });
    if (!answer.ok) throw new Error(`the provider answered ${answer.status}`);
    await answer.json();
  }
}
await Promise.all(Array.from({ length: concurrency }, callOn));
