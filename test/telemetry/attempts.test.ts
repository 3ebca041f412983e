import { expect, test } from "vitest";
import { Attempts } from "../../src/telemetry/attempts.ts";

const clock = { now: () => 1_000_000, sleep: async () => {} };

test.each([
  [
    "2001:db8:0:1::",
    ["2001:db8:0:1::1", "2001:db8:0:1:ffff:1:2:3", "2001:db8:0:1::7%eth0"],
    "2001:db8:0:2::1",
  ],
  ["2001:db8::", ["2001:db8::1", "2001:db8::1:2:3:4", "2001:db8:0:0:5::"], "2001:db8::1:0:0:0:0"],
  ["::", ["::1", "::2"], "1::"],
])("the addresses of %s/64 share one bound, which another network does not", (_, addresses, elsewhere) => {
  const attempts = new Attempts(clock);
  for (let n = 0; n < 10; n += 1) expect(attempts.begin(addresses[n % addresses.length] ?? "")).toBe(true);
  for (const address of addresses) expect(attempts.begin(address)).toBe(false);
  expect(attempts.begin(elsewhere)).toBe(true);
  attempts.right(addresses.at(-1) ?? "");
  expect(attempts.begin(addresses[0] ?? "")).toBe(true);
});

test("addresses of IPv4 are bounded each, also where a socket of IPv6 takes them", () => {
  const attempts = new Attempts(clock);
  for (const peer of ["10.0.0.1", "10.0.0.2", "::ffff:10.0.0.3", "::ffff:10.0.0.4"]) {
    for (let n = 0; n < 10; n += 1) expect(attempts.begin(peer)).toBe(true);
    expect(attempts.begin(peer)).toBe(false);
  }
});
