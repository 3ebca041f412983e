/** Made by `npm run docs` from the commands: edit those. */
export const helpText = `Usage: rotate [options] COMMAND

Rotates LLM-router API keys with zero downtime, as rotation.yaml says.

Options:
  -V, --version         print the version
  --policy <file>       the policy (default: "./rotation.yaml", env: KEYTURN_POLICY)
  --log-level <level>   how much is logged on standard error (default: info) (choices: "trace", "debug", "info", "warn", "error", "silent")
  --no-color            no colour; NO_COLOR in the environment does the same
  -h, --help            print help

Commands:
  worker                run as a daemon: rotate each key when it is due, until SIGTERM
  once                  one pass: start what is due, carry on what is in flight, then exit (for cron)
  --now [KEY...]        rotate now, due or not, and follow to the end
  approve KEY           let a held rotation go on
  rollback KEY          put the previous key back and wait until every consumer uses it
  revoke KEY            a leaked key: replace and delete everything issued before now
  sweep [KEY...]        find keys that lost rotations left at the provider; delete them with --yes
  plan [KEY...]         what a pass would do now, step by step, and why; changes nothing
  status [KEY...]       each key: age, phase, current key, last and next rotation, what it waits for
  history [KEY]         the event log, oldest first
  identify              say which key of the policy a found key is; it is read from standard input
  validate [KEY...]     check the policy; calls nothing unless --online is given
  health                ask the worker on this machine how it is
  init                  write a policy by asking, or from options; or print what a policy needs in Kubernetes
  keys                  the provider's keys by hand: list, get, create, update, disable, enable, delete, current
  journal               move the journal to another place: export, import
  demo                  a rotation in the sandbox, under live traffic, and the proof that no request failed
  sandbox [COMMAND...]  a provider and two services on loopback to try things on
  completion SHELL      print a script that completes commands, options and the names of the policy's keys
  help [command]        display help for command

Examples:
  $ rotate --now payments-api
  $ rotate status
  $ rotate worker

Exit status: 0 done, 1 failed, 2 wrong usage or invalid policy (nothing was called), 3 work remains.
rotate COMMAND --help says more about a command.
`;
