import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { html, plain, trusted, withCode } from "../../src/page/html.ts";
import { runs } from "../hostile/generators.ts";

describe("a template of HTML", () => {
  test("escapes text, also within attributes and lists, and leaves HTML of its own as it is", () => {
    const evil = `"><script>alert('&')</script>`;
    expect(
      html`<p title="${evil}">${[evil, html`<b>${1}</b>`, false, undefined, trusted("<i>")]}</p>`.text,
    ).toBe(
      `<p title="&quot;&gt;&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;">&quot;&gt;&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;<b>1</b><i></p>`,
    );
  });

  test("shows what would hide or turn the text as codes, and makes one line of many", () => {
    expect(plain("a\u202eb\u0000c\u200bd\u001b[2Je\u2066\ufefff\ud800\n\r\tg")).toBe(
      "a⟨202E⟩b⟨0000⟩c⟨200B⟩d⟨001B⟩[2Je⟨2066⟩⟨FEFF⟩f\ufffd g",
    );
  });

  test("takes credentials out, also one that bounding would have cut in two", () => {
    const key = `sk-or-v1-${"0123456789abcdef".repeat(4)}`;
    expect(html`${`a ${key} b`}`.text).toBe("a [secret] b");
    expect(plain(`${"x ".repeat(395)}${key}`)).not.toContain("sk-or-v1");
    expect(plain("x".repeat(10_000)).length).toBe(800);
  });

  test("shortens hashes, and leaves ids as they are", () => {
    expect(plain(`key ${"ab".repeat(32)} by sha256:${"cd".repeat(32)}, rotation b54b08b2e6647f2b`)).toBe(
      "key abababababab… by sha256:cdcdcdcdcdcd…, rotation b54b08b2e6647f2b",
    );
  });

  test("sets what a person types apart, word by word", () => {
    expect(withCode("or `rotate approve k --without C`, or <b>").text).toBe(
      "or <code><span>rotate</span> <span>approve</span> <span>k</span> <span>--without</span> <span>C</span></code>, or &lt;b&gt;",
    );
  });

  test("takes credentials out and bounds the length also where quotes set a part apart", () => {
    const { text } = withCode("they say `Authorization: Bearer aWxsZWdhbA` and Bearer `aWxsZWdhbB`");
    expect(text.replace(/<[^>]*>/g, "")).toBe("they say Authorization: Bearer [secret] and Bearer [secret]");
    expect(withCode("`a`b".repeat(10_000)).text.length).toBeLessThan(20_000);
  });

  test("lets no text become markup, whatever it is", () => {
    const text = fc.string({ unit: "binary", maxLength: 200 });
    fc.assert(
      fc.property(text, (value) => {
        const inner = /^<p title="([\s\S]*)">([\s\S]*)<\/p>$/.exec(
          html`<p title="${value}">${value}</p>`.text,
        );
        expect(inner?.[1]).toBe(inner?.[2]);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be left
        expect(inner?.[1]).not.toMatch(/[<>"'\0-\u001f\u202a-\u202e]/);
      }),
      runs(300),
    );
  });
});
