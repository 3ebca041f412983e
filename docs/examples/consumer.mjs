// A service that follows its key file and tells keyturn which key it uses.
// npm install keyturn && KEY_FILE=/srv/llm-keys/payments-api.json KEY_FIELD=OPENROUTER_API_KEY node consumer.mjs
import { createServer } from "node:http";
import { hostname } from "node:os";
import { healthBody, watchKey } from "keyturn/consumer";

const { KEY_FILE, KEY_FIELD, KEY_NAME = "payments-api", HOST = "127.0.0.1", PORT = "8080" } = process.env;
const PROVIDER = process.env.OPENROUTER_BASE_URL ?? "https://openrouter.ai/api/v1";
const MODEL = process.env.MODEL ?? "openai/gpt-4o-mini";

const watched = watchKey(KEY_FILE, { field: KEY_FIELD });

/** How many requests are under way, by the key that they bear. */
const underWay = new Map();

/** Makes one request with the key of this moment, and counts the key as held until the request has ended. */
async function withKey(request) {
  const key = watched.current();
  if (key === undefined) throw new Error("there is no key yet");
  underWay.set(key, (underWay.get(key) ?? 0) + 1);
  try {
    return await request(key);
  } finally {
    const left = underWay.get(key) - 1;
    if (left === 0) underWay.delete(key);
    else underWay.set(key, left);
  }
}

async function ask(prompt) {
  return withKey(async (key) => {
    const response = await fetch(`${PROVIDER}/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ model: MODEL, messages: [{ role: "user", content: prompt }] }),
    });
    if (!response.ok) throw new Error(`the provider answers ${response.status}`);
    return response.text();
  });
}

function health() {
  const serving = watched.current();
  const holding = [...underWay.keys()].filter((key) => key !== serving);
  return healthBody({
    status: serving === undefined ? "waiting" : "ok",
    instance: hostname(),
    keys: { [KEY_NAME]: { serving, holding } },
  });
}

createServer(async ({ method, url }, response) => {
  const reply = (status, body) =>
    response.writeHead(status, { "content-type": "application/json" }).end(body);
  if (method === "GET" && url === "/healthz") {
    const body = health();
    return reply(body.status === "ok" ? 200 : 503, JSON.stringify(body));
  }
  if (method === "POST" && url === "/ask") {
    return ask("hello").then(
      (answer) => reply(200, answer),
      (error) => reply(502, JSON.stringify({ error: error.message })),
    );
  }
  reply(404, "{}");
}).listen(Number(PORT), HOST);
