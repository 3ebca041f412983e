/** An error as Secrets Manager answers it: its type, its words and the HTTP status. */
export class ModelError extends Error {
  readonly type: string;
  readonly status: number;

  constructor(type: string, message: string, status = 400) {
    super(message);
    this.type = type;
    this.status = status;
  }
}

export const notFound = (what = "secret") =>
  new ModelError("ResourceNotFoundException", `Secrets Manager can't find the specified ${what}.`);
export const invalid = (message: string) => new ModelError("InvalidParameterException", message);
export const refused = (message: string) => new ModelError("InvalidRequestException", message);
export const validation = (message: string) => new ModelError("ValidationException", message);
export const exceeded = (message: string) => new ModelError("LimitExceededException", message);
export const exists = (message: string) => new ModelError("ResourceExistsException", message);
