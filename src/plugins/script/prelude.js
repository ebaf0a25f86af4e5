"use strict";
// What every script finds before its first line. It runs in each fresh context, after the host has put `mill` there.
(() => {
  const refuse = (what) => function () { throw new TypeError(what); };
  const fixed = (target, name, value) =>
    Object.defineProperty(target, name, { value, writable: false, enumerable: false, configurable: false });

  // No code from text: neither by name nor by the constructors of the four kinds of functions.
  const noCode = refuse("there is no eval: code that arrives as text is not run");
  noCode.prototype = Function.prototype;
  for (const kind of [function () {}, function* () {}, async function () {}, async function* () {}]) {
    fixed(Object.getPrototypeOf(kind), "constructor", noCode);
  }
  fixed(globalThis, "Function", noCode);
  fixed(globalThis, "eval", noCode);

  // Nothing that differs from call to call.
  const noClock = refuse("there is no clock: use req.now, and mill.time to read times");
  for (const name of ["now", "parse", "UTC"]) fixed(noClock, name, noClock);
  fixed(globalThis, "Date", noClock);
  fixed(Math, "random", refuse("there is no randomness: the same delivery must give the same events"));

  for (const part of [mill.base64, mill.regex, mill.time]) Object.freeze(part);
  fixed(globalThis, "mill", Object.freeze(mill));
})();
