import { execFile, spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { Secret } from "../../src/lib/secret.ts";
import { signatureHeaders } from "../../src/notify/sign.ts";

/**
 * The receivers of docs/notifications.md as they stand, each in its own language: a notification
 * with keyturn's signature is taken, and one that was changed on its way is not. Needs python3 and
 * go on PATH. Exit status 0 when all that is true.
 */

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "../..");
const OTHER = Buffer.from("a secret of another installation").toString("base64");
const SECRET = `whsec_${Buffer.from("thirty-two bytes of a signature!").toString("base64")}`;

await using stack = new AsyncDisposableStack();
const scratch = await mkdtemp(join(tmpdir(), "keyturn-receivers-"));
stack.defer(() => rm(scratch, { recursive: true, force: true }));

const page = await readFile(join(ROOT, "docs/notifications.md"), "utf8");
const body = '{"version":1,"message":"für alle Ämter"}';
const secrets = new Secret(`${OTHER} ${SECRET}`);
const headers = {
  "webhook-id": "msg_1",
  ...signatureHeaders(secrets, { id: "msg_1", body, now: Date.now() }),
};
const sent = { secret: SECRET, headers, body };
await writeFile(join(scratch, "sent.json"), JSON.stringify(sent));

const verdicts = { node: await byNode(), python: await byPython(), go: await byGo() };
console.log(verdicts);
const right = Object.values(verdicts).every(({ asSent, changed }) => asSent && !changed);
process.exitCode = right ? 0 : 1;

interface Verdict {
  asSent: boolean;
  changed: boolean;
}

/** The one code block of a language that verifies. */
function code(language: string): string {
  const blocks = [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms"))];
  const [[, text = ""] = [], ...more] = blocks;
  if (text === "" || more.length > 0)
    throw new Error(`docs/notifications.md has not one block of ${language}`);
  return text;
}

async function byNode(): Promise<Verdict> {
  await writeFile(join(scratch, "receiver.mjs"), code("js"));
  await symlink(join(ROOT, "node_modules"), join(scratch, "node_modules"));
  const PORT = String(await freePort());
  const child = spawn(process.execPath, ["receiver.mjs"], {
    cwd: scratch,
    env: { ...process.env, PORT, KEYTURN_WEBHOOK_SECRET: SECRET },
    stdio: "ignore",
  });
  stack.defer(() => void child.kill());
  const post = async (text: string): Promise<boolean> => {
    for (;;) {
      const answer = await fetch(`http://127.0.0.1:${PORT}`, { method: "POST", headers, body: text }).catch(
        () => undefined,
      );
      if (answer) return answer.ok;
      await setTimeout(50);
    }
  };
  return { asSent: await post(body), changed: await post(`${body} `) };
}

async function byPython(): Promise<Verdict> {
  await writeFile(join(scratch, "receiver.py"), code("python"));
  const script = `
import json
from receiver import verify
sent = json.load(open("sent.json"))
body = sent["body"].encode()
ask = lambda text: verify(sent["secret"], sent["headers"], text)
print(json.dumps({"asSent": ask(body), "changed": ask(body + b" ")}))`;
  return JSON.parse((await run("python3", ["-B", "-c", script], { cwd: scratch })).stdout) as Verdict;
}

async function byGo(): Promise<Verdict> {
  await mkdir(join(scratch, "receiver"));
  await writeFile(join(scratch, "receiver/receiver.go"), code("go"));
  await writeFile(join(scratch, "go.mod"), "module example\n\ngo 1.22\n");
  await writeFile(
    join(scratch, "main.go"),
    `package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"

	"example/receiver"
)

func main() {
	var sent struct {
		Secret, Body string
		Headers      map[string]string
	}
	text, _ := os.ReadFile("sent.json")
	if err := json.Unmarshal(text, &sent); err != nil {
		panic(err)
	}
	header := http.Header{}
	for name, value := range sent.Headers {
		header.Set(name, value)
	}
	ask := func(body string) bool { return receiver.Verify(sent.Secret, header, []byte(body)) }
	fmt.Printf("{\\"asSent\\":%t,\\"changed\\":%t}", ask(sent.Body), ask(sent.Body+" "))
}
`,
  );
  return JSON.parse((await run("go", ["run", "."], { cwd: scratch })).stdout) as Verdict;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
