import { RotationError } from "../../lib/errors.ts";
import type { HttpResponse } from "../../lib/http.ts";
import { isObject } from "../answer.ts";
import { type Connection, isSuccess } from "../connection.ts";
import { readEntries, text } from "../fields.ts";
import type { Attachments } from "../provider.ts";
import { shareWalk } from "../share-walk.ts";
import { walkEntries } from "../walk.ts";
import { LIST_LIMIT, type OpenRouterClient } from "./client.ts";

interface Assignment {
  guardrail: string;
  hash: string;
}

/** A page has 50 entries where the limit asked for is not heeded. */
export const LIST_PAGE = { asked: LIST_LIMIT, least: 50 };

/** The guardrails of keys; a key has at most one. */
export function guardrails(client: OpenRouterClient, connection: Connection): Attachments {
  const page = (offset: number) =>
    connection.repeat(async () => {
      const what = "list guardrails of keys";
      const response = await client.listAssignments(offset);
      if (!isSuccess(response)) throw notOpen(connection.refused(what, response), response);
      const entries = readEntries(response.body, assignment);
      if (!entries) throw connection.unreadable(what, response);
      return entries;
    });

  const listed = shareWalk(() =>
    walkEntries(page, ({ guardrail, hash: of }) => `${guardrail} ${of}`, LIST_PAGE),
  );

  return {
    async read(hash) {
      return (await listed())
        .filter((assigned) => assigned.hash === hash)
        .map(({ guardrail }) => ({ kind: "guardrail", id: guardrail }));
    },

    async put(hash, attachments) {
      for (const { id } of attachments) {
        await connection.repeat(async () => {
          const response = await client.assignGuardrail(id, hash);
          if (!isSuccess(response))
            throw connection.refused(`put guardrail ${id} on key ${hash}`, response, { absentIs404: true });
        });
      }
    },
  };
}

/**
 * The error of a list that the provider keeps from this management key, or doesn't have at all
 * (an account without the feature, a gateway that passes on the key endpoints only): `forbidden`
 * either way; any other error as it is.
 */
export function notOpen(error: RotationError, { status }: HttpResponse): RotationError {
  if (status !== 403 && status !== 404) return error;
  return new RotationError("forbidden", error.message, {
    status,
    hint: "use a management key that may read guardrails, BYOK credentials and destinations, at an address that serves them",
  });
}

function assignment(entry: unknown): Assignment | undefined {
  if (!isObject(entry)) return undefined;
  const guardrail = text(entry, "guardrail_id");
  const hash = text(entry, "key_hash");
  return guardrail && hash ? { guardrail, hash } : undefined;
}
